/**
 * The models: what each is good at, its licence, its size, its speed here, and whether it is here. Fetched when it is
 * first asked for.
 *
 * @import { Model } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { byId, el } from './dom.js';
import { openDialog, setUpDialog } from './shell.js';

/** @param {Page} page */
export function createModelsView(page) {
  const { models, t, format } = page;
  const dialog = byId('models-dialog');
  const rows = byId('models-list');
  /** @type {Map<string, {files: number, mean_s: number}>} */ let speeds = new Map();
  setUpDialog(dialog);

  /** What each model took here, of the runtime that was used most. */
  async function measure() {
    const { models: all } = await page.client.stats();
    speeds = new Map(all.toReversed().flatMap(({ model, files, mean_s: mean }) => (mean === null ? [] : [[model, { files, mean_s: mean }]])));
    draw();
  }

  /** @param {Model} model */
  function stateText({ state, progress, optimised }) {
    if (state === 'built_in') return t('modelBuiltIn');
    if (optimised) return t(`optimised_${optimised.state}`, { n: optimised.gain ?? Math.floor(optimised.percentage ?? 0) });
    if (state === 'installed') return t('modelInstalled');
    if (state === 'failed') return t('modelFailed');
    if (state === 'missing') return t('modelMissing');
    return typeof progress?.percentage === 'number' ? t('modelDownloading', { n: Math.floor(progress.percentage) })
      : t('modelDownloadingUnknown', { size: format.bytes(progress?.received ?? 0) });
  }

  /** @param {Model} model */
  function action(model) {
    const { name, title, bytes, state, progress, optimisable, optimised } = model;
    if (state === 'downloading') {
      const value = progress?.percentage ?? null;
      return el('progress', { max: 100, 'aria-label': stateText(model), ...(value === null ? {} : { value }) });
    }
    if (optimisable && (!optimised || optimised.reason)) {
      return el('button', {
        type: 'button', className: 'button', id: `optimise-${name}`, onclick: () => page.attempt(() => models.optimise(name)),
      }, t('modelOptimise'));
    }
    if (state !== 'missing' && state !== 'failed') return null;
    const label = t('modelDownloadNamed', { name: title, size: bytes ? format.bytes(bytes) : '' });
    return el('button', {
      type: 'button', className: 'button', id: `download-${name}`, 'aria-label': label, onclick: () => page.attempt(() => models.download(name)),
    }, t(state === 'failed' ? 'tryAgain' : 'modelDownload'));
  }

  /** @param {Model} model */
  function row(model) {
    const { name, title, good_at, licence, commercial_use, bytes, state, error, optimised } = model;
    const speed = speeds.get(name);
    const facts = [licence, t(commercial_use ? 'commercial' : 'nonCommercial'), bytes ? format.bytes(bytes) : '',
      speed && t('modelSpeed', { n: speed.files, time: format.seconds(speed.mean_s) })];
    return el('li', { className: 'row', 'data-model': name, 'data-state': state },
      el('div', { className: 'row-text' },
        el('p', {}, el('strong', {}, title), models.get().auto === name && el('span', { className: 'badge' }, t('modelInUse'))),
        el('p', { className: 'small' }, good_at),
        el('p', { className: 'small muted' }, facts.filter(Boolean).join(' · ')),
        optimised?.reason && el('p', { className: 'small muted' }, optimised.reason),
        error && el('p', { className: 'small failed-text' }, [error.message, error.hint].filter(Boolean).join(' '))),
      el('div', { className: 'row-side' }, el('span', { className: 'small muted' }, stateText(model)), action(model)));
  }

  function draw() {
    if (!dialog.open) return;
    const focused = document.activeElement?.id;
    byId('models-intro').textContent = t('modelsIntro', { name: models.title(models.get().auto) });
    rows.replaceChildren(...models.get().models.map(row));
    if (focused) document.getElementById(focused)?.focus();
  }

  models.subscribe(draw);
  return {
    open() {
      openDialog(dialog);
      draw();
      models.refresh();
      measure().catch(() => {}); // speeds are left out where they cannot be had
    },
  };
}
