/**
 * "Do again with another model": a choice of those that are here, and a button.
 *
 * @import { FormMaker, Format, Model, Translate } from './types.js'
 */

import { modelGroups, modelText } from './form.js';

/**
 * @param {{el: FormMaker, t: Translate, format: Format, models: Model[]}} context
 * @param {string} id @param {(model: string) => void} act @param {string} [last] the model that made it
 */
export function modelSelect({ el, t, format, models }, id, act, last = '') {
  const offered = models.filter(({ kind, name, state }) => !kind.startsWith('face') && name !== last && state !== 'downloading');
  const first = offered.find(({ state }) => state === 'installed' || state === 'built_in');
  const select = el('select', { id, 'aria-label': t('otherModel') }, ...modelGroups(el, offered, (model) => el('option', {
    value: model.name, selected: model === first,
  }, modelText(model, t, format)), t));
  const button = el('button', { className: 'button', onclick: () => act(select.value) }, t('redoWith'));
  /** @param {boolean} disabled */
  const setDisabled = (disabled) => {
    select.disabled = button.disabled = disabled || !offered.length;
  };
  setDisabled(false);
  return { element: el('div', { className: 'redo-with' }, button, select), select, setDisabled };
}
