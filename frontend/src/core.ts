/** The framework-free core: the page of the server, the React component and the element all stand on it. */

import { withAllCalls } from '../../static/js/core/calls.js';
import { createClient as createJobClient } from '../../static/js/core/client.js';
import type { Client } from '../../static/js/core/types.js';

/** `base`: address of the server without a slash at its end; `read`: makes of its JSON what the caller gets; `key`: an API key. */
export const createClient = (base?: string, read?: (text: string) => any, key?: string): Client => withAllCalls(createJobClient(base, read, key));
export { entriesOfDrop, entriesOfFiles, nameOf, usable } from '../../static/js/core/entries.js';
export { removePhotos } from '../../static/js/core/deletion.js';
export { createSession } from '../../static/js/core/session.js';
export { createStore, groupOf, isFinal, totals } from '../../static/js/core/store.js';
export { LANGUAGES, readerOf } from '../../static/js/core/language.js';
export { createStrings, en } from '../../static/js/core/strings.js';
export { countText, createFormat, fileText, jobText } from '../../static/js/core/words.js';
export { OfflineError, ProblemError } from '../../static/js/core/client.js';
export { createPhotoJob } from './job.js';
export type { PhotoFault, PhotoJob, PhotoJobCallbacks, PhotoJobOptions } from './job.js';
export { removeBackground } from './function.js';
export type { RemoveBackgroundOptions } from './function.js';
export type {
  Client, Entry, FileError, FileView, Job, JobClient, JobEvent, Model, Preset, Progress, Recipe, Session, State, Translate,
} from '../../static/js/core/types.js';
