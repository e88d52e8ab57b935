/**
 * The texts that every view has. A language is one object like `en`; `{n}` picks the plural form.
 *
 * @import { Translate } from './types.js'
 */

/** @type {Record<string, string|{one: string, other: string}>} */
export const en = {
  app: 'Photo Processor',
  close: 'Close',

  whatToMake: 'What to make',
  on: 'On',
  none: 'None',
  blur: 'Blurred',
  white: 'White',
  black: 'Black',
  colour: 'Colour',
  ownColour: 'Own colour',
  checker: 'Checkerboard',
  auto: 'Automatic',

  chooseFiles: 'Choose files',
  urls: 'Or addresses of photos on the web',
  nothingUsable: 'There is no photo or ZIP in what was dropped.',
  jobNameMore: { one: '{name} and {n} more', other: '{name} and {n} more' },

  countOf: '{n} of {total}',
  countFailed: '{n} failed',
  countLook: '{n} to look at',
  progress: 'Progress',
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  retryFailed: 'Retry failed',
  seal: 'Finish with these photos',
  downloadZip: 'Download ZIP',
  filter: 'Show',
  filterAll: 'All',
  filterDone: 'Done',
  filterLook: 'To look at',
  filterFailed: 'Failed',
  noneOfThese: 'No photos here.',

  'status receiving': 'Waiting for photos',
  'status uploading': 'Sending photos',
  'status queued': 'Waiting',
  'status ahead': { one: 'Waiting, {n} job ahead', other: 'Waiting, {n} jobs ahead' },
  'status processing': 'Working',
  'status paused': 'Paused',
  'status completed': 'Done',
  'status failed': 'Failed',
  'status cancelled': 'Cancelled',
  etaLeft: 'about {range} left',
  etaSoon: 'a few seconds left',
  rangeSeconds: '{low}–{high} s',
  rangeMinutes: '{low}–{high} min',
  rangeHours: '{low}–{high} h',
  milliseconds: '{n} ms',
  oneSecond: '{n} s',
  oneMinute: '{n} min',
  oneHour: '{n} h',

  stageUploadWaiting: 'Waiting to be sent',
  stageUploading: 'Sending {n} %',
  stageUploaded: 'Sent',
  // The server's own names of its stages follow the word.
  'stage waiting': 'Waiting',
  'stage unpacking': 'Unpacking',
  'stage reading the photo': 'Reading the photo',
  'stage downloading the model': 'Downloading the model',
  stageDownloadingAt: 'Downloading the model, {n} %',
  'stage loading the model': 'Loading the model',
  'stage removing background': 'Removing background',
  'stage matting the edge': 'Refining the edge',
  'stage replacing the background': 'Replacing the background',
  'stage drawing the shadow': 'Drawing the shadow',
  'stage drawing the mark': 'Drawing the watermark',
  'stage finding the face': 'Finding the face',
  'stage turning': 'Turning',
  'stage cropping': 'Cropping',
  'stage adjusting colours': 'Adjusting colours',
  'stage removing noise': 'Removing noise',
  'stage resizing': 'Resizing',
  'stage saving': 'Saving',
  'stage done': 'Done',
  'stage failed': 'Failed',
  'stage cancelled': 'Cancelled',
  look: 'Look at this',
  open: 'Open {name}',
  download: 'Download {name}',
  retry: 'Retry',
  brush: 'Correct by hand',
  brushRestore: 'Bring back',
  brushErase: 'Wipe out',
  brushSize: 'Size',
  save: 'Save',
  retryNamed: 'Retry {name}',

  noticeNoJob: 'This job is no longer there. It was deleted, or its time has run out.',

  undo: 'Undo',

  compare: 'Before and after',
  compareValue: '{n} % before',
  before: 'Before',
  after: 'After',
  previous: 'Previous photo',
  next: 'Next photo',
  background: 'Background',
  downloadResult: 'Download',
};

/** @param {typeof en} messages @param {string} locale @returns {Translate} */
export function createStrings(messages, locale) {
  const plural = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  return (key, values = {}) => {
    const message = messages[key];
    if (message === undefined) return key;
    const text = typeof message === 'string' ? message : message[plural.select(Number(values.n)) === 'one' ? 'one' : 'other'];
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === 'number' ? number.format(value) : String(value ?? '');
    });
  };
}
