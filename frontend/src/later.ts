/** What is fetched when the options are unfolded or a photo is opened: in one file it is smaller by a tenth. */

export { drawOptions } from './options-form.js';
export { openViewer } from './viewer.js';
