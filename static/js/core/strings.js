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

  madeAs: 'Made as: {what}',
  redo: 'Do again as chosen',
  undoRedo: { one: 'Back to the former result', other: 'Back to the former results' },

  chooseFiles: 'Choose files',
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
  retryRest: 'Do the rest',
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
  oneSecond: '{n} s',
  oneMinute: '{n} min',
  oneHour: '{n} h',

  stageUploadWaiting: 'Waiting to be sent',
  stageUploading: 'Sending {n} %',
  stageUploaded: 'Sent',
  // The server's own names of its stages follow the word; where nothing is said, its name is shown.
  'stage waiting': 'Waiting',
  stageDownloadingAt: 'Downloading the model, {n} %',
  'stage matting the edge': 'Refining the edge',
  'stage drawing the mark': 'Drawing the watermark',
  'stage done': 'Done',
  'stage failed': 'Failed',
  look: 'Look at this',
  looksFine: 'Looks fine',
  open: 'Open {name}',
  download: 'Download {name}',
  retry: 'Retry',
  retryNamed: 'Retry {name}',
  otherModel: 'Another model',

  noticeNoJob: 'This job is no longer there. It was deleted, or its time has run out.',

  undo: 'Undo',

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
