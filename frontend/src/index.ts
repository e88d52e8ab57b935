export { PhotoProcessor } from './photo-processor.js';
export type { Part, PhotoProcessorProps } from './photo-processor.js';
export { usePhotoJob } from './headless.js';
export type { PhotoJobView, UsePhotoJobOptions, Messages } from './headless.js';
export { removeBackground } from './function.js';
export type { RemoveBackgroundOptions } from './function.js';
export type { PhotoFault, PhotoJobCallbacks } from './job.js';
export type { FileError, FileView, Job, Preset, Progress, Recipe } from '../../static/js/core/types.js';
