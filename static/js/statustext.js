/**
 * The words for where a job or a photo stands.
 *
 * @import { FileView, Job, ModelProgress, Translate } from './core/types.js'
 */

import { pretty } from './core/schema.js';

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
  if (file.status === 'completed') return file.warnings.length ? t('look') : t('stage done');
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
