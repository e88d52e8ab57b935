/**
 * One field of an options form, drawn from its schema.
 *
 * @import { Field, Translate } from './core/types.js'
 * @import { DrawField, FieldContext } from './page.js'
 */

import { el } from './dom.js';
import { pretty } from './core/schema.js';

const COLOURS = /** @type {const} */ ([['#ffffff', 'white'], ['#e9ebee', 'grey'], ['#6fa3d8', 'blue'], ['#000000', 'black']]);
const FORMATS = /** @type {Record<string, string>} */ ({ png: 'PNG', webp: 'WebP', jpeg: 'JPEG', avif: 'AVIF', tiff: 'TIFF' });
const WORDS = new Set(['transparent', 'blur']);
const SAME = /** @type {Record<string, string>} */ ({ white: '#ffffff', '#fff': '#ffffff', black: '#000000', '#000': '#000000' });

/** @param {Field} field @param {any} value @param {Translate} t */
export function valueText(field, value, t) {
  if (value === null || value === undefined) return t('none');
  if (field.control === 'toggle') return t(value ? 'on' : 'off');
  if (field.control === 'colour') return colourText(value, t);
  if (typeof value === 'number') return field.percent ? `${Math.round(100 * value)} %` : [value, field.unit].filter((part) => part !== '').join(' ');
  return field.labels[value] ?? FORMATS[value] ?? pretty(value);
}

function colourText(value, t) {
  if (WORDS.has(value)) return t(value);
  const known = COLOURS.find(([hex]) => hex === (SAME[value] ?? value.toLowerCase()));
  return known ? t(known[1]) : value;
}

/** @param {string} id @param {Field} field @param {any} value @param {FieldContext} context */
export function drawField(id, field, value, context) {
  const current = value === undefined ? field.default : value;
  const hint = field.hint && el('p', { className: 'small muted hint', id: `${id}-hint` }, field.hint);
  /** @type {Record<string, string>} */
  const described = hint ? { 'aria-describedby': `${id}-hint` } : {};
  if (field.control === 'toggle') return drawToggle(id, field, Boolean(current), hint, described, context);
  if (field.control === 'colour') return drawColour(id, field, current, context);
  const control = CONTROLS[field.control](id, field, current, described, context);
  return el('div', { className: 'field' },
    el('label', { for: id }, field.title),
    control, hint);
}

/** @type {(...given: any[]) => HTMLElement} */
function drawToggle(id, field, value, hint, described, { change }) {
  const input = el('input', { type: 'checkbox', id, checked: value, ...described, onchange: () => change(input.checked) });
  return el('div', { className: 'field' }, el('label', { className: 'toggle' }, input, ' ', el('span', {}, field.title)), hint);
}

/** @type {(...given: any[]) => HTMLElement} */
function drawColour(id, field, value, { t, change }) {
  const words = field.options.filter((word) => WORDS.has(word));
  const offered = [...words.map((word) => [word, word]), ...COLOURS.map(([hex, name]) => [hex, name])];
  if (field.default && !offered.some(([one]) => one === field.default) && WORDS.has(field.default)) offered.unshift([field.default, field.default]);
  const now = SAME[value] ?? value;
  const own = !offered.some(([one]) => one === now);
  const picker = el('input', {
    type: 'color', className: 'own-colour', 'aria-label': `${field.title}: ${t('ownColour')}`, id: `${id}-own`,
    value: own && /^#[0-9a-f]{6}$/i.test(now) ? now : '#c8d3dd', oninput: () => choose(picker.value),
  });
  const choose = (colour) => {
    const radio = picker.closest('fieldset').querySelector(`[value="${CSS.escape(colour)}"]`) ?? picker.previousElementSibling.firstElementChild;
    radio.checked = true;
    change(colour);
  };
  return el('fieldset', { className: 'field swatches' }, el('legend', {}, field.title),
    ...offered.map(([colour, name], index) => swatch(`${id}-${index}`, id, colour, t(name), colour === now, () => change(colour))),
    swatch(`${id}-any`, id, 'own', t('ownColour'), own, () => change(picker.value)),
    picker);
}

/** A colour to pick. @param {string} id @param {string} group @param {string} value @param {string} label @param {boolean} checked @param {() => void} onchange */
export function swatch(id, group, value, label, checked, onchange) {
  const input = el('input', { type: 'radio', name: group, id, value, checked, onchange, 'aria-label': label });
  const holder = el('label', { className: 'swatch', title: label, 'data-colour': value }, input);
  if (value.startsWith('#')) holder.style.setProperty('--swatch', value);
  return holder;
}

/** @type {Record<string, DrawField>} */
const CONTROLS = {
  choice(id, field, value, described, { t, change }) {
    const options = [...(field.nullable ? [null] : []), ...field.options];
    const select = el('select', { id, ...described, onchange: () => change(options[select.selectedIndex]) },
      ...options.map((option) => el('option', { selected: option === value }, valueText(field, option, t))));
    return select;
  },
  model(id, field, value, described, { models, change }) {
    const select = el('select', { id, ...described, onchange: () => change(select.value) },
      ...models.map((model) => el('option', { value: model.value, selected: model.value === value }, model.label)));
    return select;
  },
  slider(id, field, value, described, { t, change }) {
    const output = el('output', { for: id }, valueText(field, value, t));
    const input = el('input', {
      type: 'range', id, min: field.min, max: field.max, step: field.step, value, ...described, 'aria-valuetext': output.textContent,
      oninput: () => {
        output.textContent = valueText(field, input.valueAsNumber, t);
        input.setAttribute('aria-valuetext', output.textContent);
        change(input.valueAsNumber);
      },
    });
    input.value = value;
    return el('span', { className: 'slider' }, input, output);
  },
  number(id, field, value, described, { change }) {
    const input = el('input', {
      type: 'number', id, step: field.integer ? 1 : 'any', value: value ?? '', ...described, inputMode: field.integer ? 'numeric' : 'decimal',
      oninput: () => input.validity.valid && change(input.value === '' ? (field.nullable ? null : undefined) : input.valueAsNumber),
    });
    if (field.min !== undefined) input.min = field.min;
    if (field.max !== undefined) input.max = field.max;
    return field.unit ? el('span', { className: 'with-unit' }, input, el('span', { className: 'muted' }, field.unit)) : input;
  },
  text(id, field, value, described, { change }) {
    const input = el('input', {
      type: 'text', id, value: value ?? '', ...described, oninput: () => change(input.value || (field.nullable ? null : undefined)),
    });
    if (!field.options.length) return input;
    input.setAttribute('list', `${id}-examples`);
    return el('span', {}, input, el('datalist', { id: `${id}-examples` }, ...field.options.map((one) => el('option', { value: one }))));
  },
};
