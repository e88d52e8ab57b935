/**
 * Sizes and times as people write them, and the words for where a job or a photo stands.
 *
 * @import { FileView, Format, Job, ModelProgress, Translate } from './types.js'
 */

import { groupOf } from './store.js';

/** @param {Translate} t @param {string} locale @returns {Format} */
export function createFormat(t, locale) {
  /** @param {number} value @param {string} unit @param {number} digits */
  const measure = (value, unit, digits) => new Intl.NumberFormat(locale, {
    style: 'unit', unit, maximumFractionDigits: digits,
  }).format(value);

  /** @param {number} low @param {number} high @param {'Second'|'Minute'|'Hour'} unit */
  const span = (low, high, unit) => low === high ? t(`one${unit}`, { n: high }) : t(`range${unit}s`, { low, high });

  /** @param {number} low seconds @param {number} high seconds */
  function range(low, high) {
    if (high < 90) return span(fives(low), fives(high), 'Second');
    if (high < 5400) return span(Math.max(1, Math.floor(low / 60)), Math.ceil(high / 60), 'Minute');
    return span(halves(low / 3600), halves(high / 3600), 'Hour');
  }

  return {
    locale,
    bytes: (bytes) => {
      if (bytes < 1e6) return measure(Math.max(1, Math.round(bytes / 1e3)), 'kilobyte', 0);
      return bytes < 1e9 ? measure(bytes / 1e6, 'megabyte', bytes < 1e7 ? 1 : 0) : measure(bytes / 1e9, 'gigabyte', 1);
    },
    left: (eta) => {
      if (!eta) return '';
      return eta.high_s < 8 ? t('etaSoon') : t('etaLeft', { range: range(eta.low_s, eta.high_s) });
    },
  };
}

/** @param {number} seconds @param {Translate} t */
export const secondsText = (seconds, t) => seconds < 0.1 ? t('milliseconds', { n: Math.round(1000 * seconds) })
  : t('oneSecond', { n: seconds < 10 ? Math.round(100 * seconds) / 100 : Math.round(seconds) });

/** @param {number} seconds */
const fives = (seconds) => Math.max(5, Math.round(seconds / 5) * 5);
/** @param {number} hours */
const halves = (hours) => Math.max(0.5, Math.round(hours * 2) / 2);

/** @param {string} stage @param {ModelProgress|null} model @param {Translate} t */
export function stageText(stage, model, t) {
  if (stage === 'downloading the model' && model && model.percentage !== null) {
    return t('stageDownloadingAt', { n: Math.floor(model.percentage) });
  }
  const key = `stage ${stage}`;
  const text = t(key);
  return text === key ? pretty(stage) : text;
}

/** @param {FileView} file @param {ModelProgress|null} model @param {Translate} t */
export function fileText(file, model, t) {
  if (file.status === 'uploading') {
    if (file.stage === 'waiting') return t('stageUploadWaiting');
    return file.stage === 'sent' ? t('stageUploaded') : t('stageUploading', { n: Math.floor(100 * file.fraction) });
  }
  if (file.status === 'refused') return t('stage failed');
  if (file.status === 'completed') return t(groupOf(file) === 'look' ? 'look' : 'stage done');
  return file.status === 'processing' ? stageText(file.stage, model, t) : stageText(file.status === 'queued' ? 'waiting' : file.status, null, t);
}

/** @param {Job|null} job @param {boolean} sending @param {Translate} t */
export function jobText(job, sending, t) {
  if (!job || (sending && job.status === 'receiving')) return t('status uploading');
  if (job.status === 'queued' && job.eta?.jobs_ahead) return t('status ahead', { n: job.eta.jobs_ahead });
  return t(`status ${job.status}`);
}

/** "214 of 300 · 2 failed · 3 to look at". @param {number} done @param {number} total @param {number} failed @param {number} look @param {Translate} t */
export function countText(done, total, failed, look, t) {
  return [
    t('countOf', { n: done, total }),
    failed ? t('countFailed', { n: failed }) : '',
    look ? t('countLook', { n: look }) : '',
  ].filter(Boolean).join(' · ');
}

/** `on_missing` -> `On missing`. @param {unknown} value */
export function pretty(value) {
  const text = String(value).replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
