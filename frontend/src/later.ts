/** What is fetched when the options are unfolded, a photo is opened, one alone is cut out or something is wrong: in one file it is smaller by a tenth. */

export { diagnosed, warnOfNames, warnOfPresets } from './diagnosis.js';
export { drawOptions, titlesOf } from './options-form.js';
export { removeBackground } from './remove-background.js';
export { openViewer } from './viewer.js';
export { madeAs } from './made-as.js';
