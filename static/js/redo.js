/**
 * "Do again with another model": a choice of those that are here, and a button.
 *
 * @import { Page } from './page.js'
 */

import { el } from './dom.js';

/** @param {Page} page @param {string} id @param {(model: string) => void} act @param {string} [last] the model that made it */
export function modelSelect({ models, t, format }, id, act, last = '') {
  const list = models.get().models.filter(({ kind }) => kind !== 'face_detector');
  const offered = list.filter(({ name, state }) => name !== last && state !== 'downloading');
  const first = offered.findIndex(({ state }) => state === 'installed' || state === 'built_in');
  const select = el('select', { id, 'aria-label': t('otherModel') }, ...offered.map(({ name, title, state, bytes }, index) => el('option', {
    value: name, selected: index === first,
  }, state === 'missing' && bytes ? t('toDownload', { name: title, size: format.bytes(bytes) }) : title)));
  const button = el('button', { type: 'button', className: 'button', onclick: () => act(select.value) }, t('redoWith'));
  const element = el('div', { className: 'redo-with' }, button, select);
  return {
    element,
    select,
    /** @param {boolean} disabled */
    setDisabled(disabled) {
      select.disabled = button.disabled = disabled || !offered.length;
    },
  };
}
