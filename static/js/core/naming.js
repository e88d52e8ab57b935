/**
 * "Name files by": the photo's name, its number, its caption, or a template of one's own; of every form alike.
 *
 * @import { FormMaker, Translate } from './types.js'
 */

import { createStrings } from './strings.js';

/** @type {Record<string, string>} */
export const namingTexts = {
  nameByFile: 'File name',
  nameByNumber: 'Number',
  nameByCaption: 'Caption',
  nameByBoth: 'Number and caption',
  nameByIndex: 'Place in the job',
  nameByTemplate: 'Own template',
  nameTemplate: 'Template for names',
  nameTemplateHint: 'For example {example}.',
};
const english = createStrings(namingTexts, 'en');

/** What stands for a choice; each keeps the folders and, of several outputs, their names apart. @type {[string, string|null][]} */
const CHOICES = [['nameByFile', null], ['nameByNumber', '{folder}/{number}'], ['nameByCaption', '{folder}/{caption}'],
  ['nameByBoth', '{folder}/{number} {caption}'], ['nameByIndex', '{folder}/{index:03}']];

/**
 * @param {string} id @param {string|null} naming
 * @param {{el: FormMaker, t: Translate, change: (naming: string|null) => void}} context
 */
export function namingField(id, naming, { el, t: translate, change }) {
  const t = withNamingTexts(translate);
  const known = CHOICES.findIndex(([, template]) => template === (naming || null));
  const text = el('input', { type: 'text', id: `${id}-template`, value: naming ?? '{name}', maxLength: 200, 'aria-label': t('nameTemplate'), spellcheck: false,
    onchange: () => change(text.value.trim() || null) });
  const own = el('div', { className: 'field', hidden: known >= 0 }, text, el('p', { className: 'small muted hint' }, t('nameTemplateHint', { example: '{folder}/{number}_{output}, {date}, {index:03}' })));
  const select = el('select', { id, onchange: () => {
    const chosen = CHOICES[select.selectedIndex];
    own.hidden = Boolean(chosen);
    if (chosen) change(chosen[1]);
    else text.focus();
  } }, ...CHOICES.map(([label], at) => el('option', { selected: at === known }, t(label))), el('option', { selected: known < 0 }, t('nameByTemplate')));
  return el('div', { className: 'field' }, el('label', { for: id }, t('nameBy')), select, own);
}

/** @param {Translate} translate @returns {Translate} */
const withNamingTexts = (translate) => (key, values) => {
  const text = translate(key, values);
  return text === key ? english(key, values) : text;
};
