/**
 * A form for each operation and result, drawn from the server's catalogue: of the page and of the embedded views alike.
 * Whoever wants it gives the maker of its elements, so that their classes become what the view dresses.
 *
 * @import { DrawField, Field, FieldContext, FormMaker, FormOptions, Format, Model, OperationInfo, OutputSpec, Recipe, Translate } from './types.js'
 */

import { setText } from './dom.js';
import { fieldsOf, isIncomplete, stepOf, withAnotherOutput, withOutput, withParameter, withStep, withoutOutput } from './recipe.js';
import { same } from './same.js';
import { pretty } from './words.js';

/**
 * Texts of the form and of the opened photo: the page has them at once, an embedded view with the form or the photo.
 * @type {Record<string, string|{one: string, other: string}>}
 */
export const formTexts = {
  modelsToFetch: 'To be downloaded first',
  changed: 'changed',
  blur: 'Blurred',
  white: 'White',
  black: 'Black',
  ownColour: 'Own colour',
  checker: 'Checkerboard',
  resetPreset: 'Back to the preset',
  output: 'File format',
  use: 'Use this step',
  fillIn: 'Fill in one of these: {names}.',
  incomplete: 'Something is missing',
  on: 'On',
  off: 'Off',
  none: 'None',
  moreSteps: 'More steps',
  some: '{n}',
  transparent: 'Transparent',
  grey: 'Light grey',
  blue: 'Blue',
  auto: 'Automatic',
  autoNow: 'Automatic (now {name})',
  toDownload: '{name} (downloads {size} first)',
  addOutput: 'Add another format',
  removeOutput: 'Remove this format',
  outputNumber: 'Result {n}',
  nameBy: 'Name files by',
  redoWith: 'Do again with',
  compare: 'Before and after',
  before: 'Before',
  after: 'After',
  previous: 'Previous photo',
  next: 'Next photo',
  background: 'Background',
};

const COLOURS = /** @type {const} */ ([['#ffffff', 'white'], ['#e9ebee', 'grey'], ['#6fa3d8', 'blue'], ['#000000', 'black']]);
const FORMATS = /** @type {Record<string, string>} */ ({ png: 'PNG', webp: 'WebP', jpeg: 'JPEG', avif: 'AVIF', tiff: 'TIFF', gif: 'GIF', bmp: 'BMP', svg: 'SVG' });
const WORDS = new Set(['transparent', 'blur']);
const SAME = /** @type {Record<string, string>} */ ({ white: '#ffffff', '#fff': '#ffffff', black: '#000000', '#000': '#000000' });
const USUAL = new Set(['remove_background', 'crop_face', 'resize']); // the others are folded away until they are used
const PLAIN = new Set(['png', 'tiff', 'gif', 'bmp']); // no quality to choose

/** @param {Field} field @param {any} value @param {Translate} t */
export function valueText(field, value, t) {
  if (value === null || value === undefined) return t('none');
  if (field.control === 'toggle') return t(value ? 'on' : 'off');
  if (field.control === 'colour') return colourText(value, t);
  if (typeof value === 'number') return field.percent ? `${Math.round(100 * value)} %` : [value, field.unit].filter((part) => part !== '').join(' ');
  return t(field.labels[value] ?? FORMATS[value] ?? pretty(value));
}

/** @param {string} value @param {Translate} t */
function colourText(value, t) {
  if (WORDS.has(value)) return t(value);
  const known = COLOURS.find(([hex]) => hex === (SAME[value] ?? value.toLowerCase()));
  return known ? t(known[1]) : value;
}

/** @param {string} id @param {Field} field @param {any} value @param {FieldContext} context */
function drawField(id, field, value, context) {
  const { el } = context;
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
function drawToggle(id, field, value, hint, described, { el, change }) {
  const input = el('input', { type: 'checkbox', id, checked: value, ...described, onchange: () => change(input.checked) });
  return el('div', { className: 'field' }, el('label', { className: 'toggle' }, input, ' ', el('span', {}, field.title)), hint);
}

/** @param {string} id @param {Field} field @param {any} value @param {FieldContext} context */
function drawColour(id, field, value, { el, t, change }) {
  const words = field.options.filter((word) => WORDS.has(word));
  const offered = [...words.map((word) => [word, word]), ...COLOURS.map(([hex, name]) => [hex, name])];
  if (field.default && !offered.some(([one]) => one === field.default) && WORDS.has(field.default)) offered.unshift([field.default, field.default]);
  const now = SAME[value] ?? value;
  const own = !offered.some(([one]) => one === now);
  const picker = el('input', {
    type: 'color', className: 'own-colour', 'aria-label': `${field.title}: ${t('ownColour')}`, id: `${id}-own`,
    value: own && /^#[0-9a-f]{6}$/i.test(now) ? now : '#c8d3dd', oninput: () => choose(picker.value),
  });
  const choose = (/** @type {string} */ colour) => {
    const radio = picker.closest('fieldset').querySelector(`[value="${CSS.escape(colour)}"]`) ?? picker.previousElementSibling.firstElementChild;
    radio.checked = true;
    change(colour);
  };
  return el('fieldset', { className: 'field swatches' }, el('legend', {}, field.title),
    ...offered.map(([colour, name], index) => swatch(el, `${id}-${index}`, id, colour, t(name), colour === now, () => change(colour))),
    swatch(el, `${id}-any`, id, 'own', t('ownColour'), own, () => change(picker.value)),
    picker);
}

/** A colour to pick. @param {FormMaker} el @param {string} id @param {string} group @param {string} value @param {string} label @param {boolean} checked @param {() => void} onchange */
export function swatch(el, id, group, value, label, checked, onchange) {
  const input = el('input', { type: 'radio', name: group, id, value, checked, onchange, 'aria-label': label });
  const holder = el('label', { className: 'swatch', title: label, 'data-colour': value }, input);
  if (value.startsWith('#')) holder.style.setProperty('--swatch', value);
  return holder;
}

/** @type {Record<string, DrawField>} */
const CONTROLS = {
  choice(id, field, value, described, { el, t, change }) {
    const options = [...(field.nullable ? [null] : []), ...field.options];
    const select = el('select', { id, ...described, onchange: () => change(options[select.selectedIndex]) },
      ...options.map((option) => el('option', { selected: option === value }, valueText(field, option, t))));
    return select;
  },
  model(id, field, value, described, { el, t, models, change }) {
    const option = (/** @type {any} */ { name, label }) => el('option', { value: name, selected: name === value }, label);
    const [automatic, ...others] = models;
    const select = el('select', { id, ...described, onchange: () => change(select.value) }, option(automatic), ...modelGroups(el, others, option, t));
    return select;
  },
  slider(id, field, value, described, { el, t, change }) {
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
  number(id, field, value, described, { el, change }) {
    const input = el('input', {
      type: 'number', id, step: field.integer ? 1 : 'any', value: value ?? '', ...described, inputMode: field.integer ? 'numeric' : 'decimal',
      oninput: () => input.validity.valid && change(input.value === '' ? (field.nullable ? null : undefined) : input.valueAsNumber),
    });
    if (field.min !== undefined) input.min = field.min;
    if (field.max !== undefined) input.max = field.max;
    return field.unit ? el('span', { className: 'with-unit' }, input, el('span', { className: 'muted' }, field.unit)) : input;
  },
  text(id, field, value, described, { el, change }) {
    const input = el('input', {
      type: 'text', id, value: value ?? '', ...described, oninput: () => change(input.value || (field.nullable ? null : undefined)),
    });
    if (!field.options.length) return input;
    input.setAttribute('list', `${id}-examples`);
    return el('span', {}, input, el('datalist', { id: `${id}-examples` }, ...field.options.map((one) => el('option', { value: one }))));
  },
};

/** @param {HTMLElement} holder @param {FormOptions} options */
export function createForm(holder, { catalogue, el, icon, t, format, models, change: told, prefix = '', namingField }) {
  const { operations } = catalogue;
  const fields = new Map(operations.map(({ op, schema }) => [op, fieldsOf(schema)]));
  const outputFields = fieldsOf(catalogue.outputs);
  /** @type {Recipe} */ let recipe = { operations: [], outputs: [] };
  /** @type {Set<string>} */ const opened = new Set();
  /** @type {Array<() => void>} */ let summaries = [];
  let offered = '';
  /** @type {Recipe|null} */ let base = null; // sections that differ from it say so

  /** Without what equals the default, so that a change and its undoing count as none. @param {Recipe} from */
  function bare(from) {
    /** @param {Record<string, any>} values @param {Field[]} of */
    const strip = (values, of) => Object.fromEntries(Object.entries(values)
      .filter(([key, value]) => !of.some((field) => field.key === key && same(field.default, value))));
    return {
      operations: from.operations.map((step) => strip(step, fields.get(step.op) ?? [])),
      outputs: from.outputs.map((output) => strip(output, outputFields)),
      naming: from.naming || null,
    };
  }

  /** @param {Recipe} next @param {boolean} [redraw] the form's shape changes with it */
  function change(next, redraw = false) {
    recipe = next;
    if (redraw) draw();
    else summarise();
    told(recipe);
  }

  function summarise() {
    for (const summary of summaries) summary();
  }

  /**
   * @param {string} key @param {string} title @param {() => string} summary @param {HTMLElement[]} content
   * @param {() => boolean} [differs] from the base
   */
  function section(key, title, summary, content, differs = () => false) {
    const value = el('span', { className: 'small muted section-value' });
    summaries.push(() => {
      const other = differs();
      setText(value, other ? `${summary()} (${t('changed')})` : summary());
      details.toggleAttribute('data-differs', other);
    });
    const details = el('details', {
      className: 'section', open: opened.has(key), 'data-section': key,
      ontoggle: () => (details.open ? opened.add(key) : opened.delete(key)),
    }, el('summary', { id: `${prefix}section-${key}` }, icon('chevron'), el('span', {}, title), value), el('div', { className: 'section-body' }, ...content));
    return details;
  }

  /** @param {OperationInfo} info */
  function operationSections(info) {
    const own = fields.get(info.op) ?? [];
    const on = stepOf(recipe, info.op) !== undefined;
    const groups = [...new Set(['', ...own.map(({ group }) => group)])];
    return groups.filter((group) => group === '' || on).map((group) => {
      const shown = own.filter((field) => field.group === group);
      const content = on ? shown.map((field) => operationField(info.op, field)) : [];
      if (group === '') content.unshift(stepToggle(info, on), ...(on ? [missing(info)] : []));
      const key = group ? `${info.op}-${group}` : info.op;
      return section(key, group || info.title, () => operationSummary(info, shown), content, () => differsIn(info.op, shown));
    });
  }

  /** @param {string} op @param {Field[]} shown */
  function differsIn(op, shown) {
    const [before, after] = [base && stepOf(base, op), stepOf(recipe, op)];
    return base !== null && (!before !== !after || Boolean(before && after && changes(shown, before, after).length));
  }

  /** The fields that two steps or outputs fill in otherwise, as the second has them. @param {Field[]} some @param {object} before @param {object} after */
  const changes = (some, before, after) => some
    .filter((field) => !same(valueOf(field, before), valueOf(field, after)))
    .map((field) => named(field, valueOf(field, after)));

  /** What `now` makes otherwise than `was`, in words. @param {Recipe} was @param {Recipe} now @returns {string[]} */
  function differences(was, now) {
    if (same(bare(was), bare(now))) return [];
    const steps = operations.flatMap(({ op, title }) => {
      const [before, after] = [stepOf(was, op), stepOf(now, op)];
      if (before && after) return changes(fields.get(op) ?? [], before, after);
      return after ? title : before ? `${title}: ${t('off')}` : [];
    });
    const outputs = was.outputs.length === now.outputs.length
      ? now.outputs.flatMap((output, index) => changes(outputFields, was.outputs[index], output))
      : [`${t('output')}: ${formatsOf(now.outputs)}`];
    const called = (was.naming || null) === (now.naming || null) ? [] : [`${t('nameBy')}: ${now.naming || t('none')}`];
    const found = [...steps, ...outputs, ...called];
    return found.length ? found : [t('output')];
  }

  /** What a recipe makes, in a few words. @param {Recipe} some */
  function describe(some) {
    const steps = some.operations.map(({ op }) => {
      const info = operations.find((one) => one.op === op);
      if (!info) return op;
      const said = operationSummary(info, fields.get(info.op) ?? [], some);
      return said === t('on') ? info.title : `${info.title} (${said})`;
    });
    return [...steps, formatsOf(some.outputs)].join(', ');
  }

  /** @param {OperationInfo} info @param {boolean} on */
  function stepToggle({ op, summary }, on) {
    const input = el('input', {
      type: 'checkbox', id: `${prefix}use-${op}`, checked: on, onchange: () => change(withStep(recipe, op, input.checked, operations), true),
    });
    return el('div', { className: 'field' },
      el('label', { className: 'toggle' }, input, ' ', el('span', {}, t('use'))),
      el('p', { className: 'small muted hint' }, summary));
  }

  /** Says which fields want a value, as long as none has one. @param {OperationInfo} info */
  function missing(info) {
    const { op, schema } = info;
    const wanted = (fields.get(op) ?? []).filter(({ key }) => schema['x-needs']?.includes(key));
    const line = el('p', { className: 'small missing', role: 'status' });
    summaries.push(() => {
      const lacking = isIncomplete(info, recipe);
      setText(line, lacking ? t('fillIn', { names: wanted.map(({ title }) => title).join(', ') }) : '');
      for (const { key } of wanted) document.getElementById(`${prefix}${op}-${key}`)?.setAttribute('aria-invalid', String(lacking));
    });
    return line;
  }

  /** @param {string} op @param {Field} field */
  function operationField(op, field) {
    return drawField(`${prefix}${op}-${field.key}`, field, stepOf(recipe, op)?.[field.key], {
      el, t, models: choices(), change: (value) => change(withParameter(recipe, op, field.key, value)),
    });
  }

  /** What differs from the default, else the colour, else that it is on. @param {OperationInfo} info @param {Field[]} shown @param {Recipe} [of] */
  function operationSummary(info, shown, of = recipe) {
    const step = stepOf(of, info.op);
    if (!step) return t('off');
    if (isIncomplete(info, of)) return t('incomplete');
    const said = shown.filter(({ key, default: usual }) => step[key] !== undefined && !same(step[key], usual));
    const colour = info.op.endsWith('background') && shown.find(({ control }) => control === 'colour');
    if (!said.length && colour) return valueText(colour, colour.default, t);
    if (!said.length) return t('on');
    return said.slice(0, 2).map((field) => (field.control === 'toggle' ? named(field, step[field.key]) : text(field, step[field.key]))).join(', ');
  }

  /** @param {Field} field @param {any} value */
  const text = (field, value) => (field.control === 'model' ? titleOf(value) : valueText(field, value, t));
  /** @param {Field} field @param {any} value */
  const named = (field, value) => `${field.title}: ${text(field, value)}`;
  const titleOf = (/** @type {string} */ name) => models().models.find((model) => model.name === name)?.title ?? (name === 'auto' ? t('auto') : name);

  /** The names of the formats, each once. @param {OutputSpec[]} outputs */
  function formatsOf(outputs) {
    const field = outputFields.find(({ key }) => key === 'format');
    const names = outputs.map(({ format: name }) => (field ? valueText(field, name ?? field.default, t) : name));
    return [...new Set(names)].join(', ');
  }

  function outputSection() {
    const several = recipe.outputs.length > 1;
    const rows = recipe.outputs.map((output, index) => {
      const shown = outputFields.filter(({ key }) => key !== 'name' && !(key === 'quality' && PLAIN.has(output.format)));
      /** @param {Field[]} some */
      const drawn = (some) => some.map((field) => drawField(`${prefix}output-${index}-${field.key}`, field, output[field.key], {
        el, t, models: [], change: (value) => change(withOutput(recipe, index, field.key, value), field.key === 'format'),
      }));
      const rare = shown.filter(({ group }) => group);
      return el('div', { className: 'output', role: 'group', 'aria-label': t('outputNumber', { n: index + 1 }) },
        ...drawn(shown.filter(({ group }) => !group)),
        el('details', { className: 'field' }, el('summary', {}, rare[0]?.group), ...drawn(rare)),
        several && removal(index));
    });
    const formats = outputFields.find(({ key }) => key === 'format')?.options ?? ['png'];
    const add = el('button', {
      className: 'small button', id: `${prefix}add-output`, onclick: () => change(withAnotherOutput(recipe, formats), true),
    }, t('addOutput'));
    const naming = namingField && namingField(`${prefix}naming`, recipe.naming ?? null, { el, t, change: (template) => change({ ...recipe, naming: template }) });
    const differs = () => base !== null && !same(bare({ ...base, operations: [] }), bare({ ...recipe, operations: [] }));
    return section('outputs', t('output'), () => formatsOf(recipe.outputs), [...rows, add, ...(naming ? [naming] : [])], differs);
  }

  /** @param {number} index */
  const removal = (index) => el('button', {
    className: 'icon-button', title: t('removeOutput'), 'aria-label': t('removeOutput'), onclick: () => change(withoutOutput(recipe, index), true),
  }, icon('delete'));

  function choices() {
    const { auto, models: all } = models();
    const automatic = { name: 'auto', state: 'built_in', label: auto ? t('autoNow', { name: titleOf(auto) }) : t('auto') };
    return [automatic, ...all.filter(({ kind }) => !kind.startsWith('face')).map((model) => ({ ...model, label: modelText(model, t, format) }))];
  }

  function draw() {
    const focused = document.activeElement?.id;
    summaries = [];
    const isShown = (/** @type {OperationInfo} */ { op }) => USUAL.has(op) || stepOf(recipe, op) !== undefined;
    const rare = operations.filter((info) => !isShown(info));
    holder.replaceChildren(...operations.filter(isShown).flatMap(operationSections), outputSection(),
      section('more', t('moreSteps'), () => t('some', { n: rare.length }), rare.flatMap(operationSections)));
    summarise();
    offered = JSON.stringify(choices());
    if (focused) document.getElementById(focused)?.focus();
  }

  return {
    describe,
    differences,
    /** @param {Recipe} next @param {Recipe|null} [from] what it may differ from: sections that do say so */
    show(next, from = null) {
      recipe = next;
      base = from;
      draw();
    },
    /** Draws anew where other models are on offer. */
    refresh: () => offered !== JSON.stringify(choices()) && draw(),
    /** Whether they make the same of a photo. @param {Recipe} one @param {Recipe} other */
    isSame: (one, other) => same(bare(one), bare(other)),
    /** Whether the server's catalogue has all its steps. @param {Recipe} some */
    knows: (some) => some.operations.every(({ op }) => fields.has(op)),
  };
}

/** @param {Field} field @param {Record<string, any>} values */
const valueOf = ({ key, default: usual }, values) => (values[key] === undefined ? usual : values[key]);

/**
 * Those that work at once, then those that must be fetched first, in a group that says so.
 * @template {{state: string}} M
 * @param {FormMaker} el @param {M[]} models @param {(model: M) => any} option @param {Translate} t
 */
export function modelGroups(el, models, option, t) {
  const isHere = (/** @type {M} */ { state }) => state === 'installed' || state === 'built_in';
  const others = models.filter((model) => !isHere(model));
  return [...models.filter(isHere).map(option), ...(others.length ? [el('optgroup', { label: t('modelsToFetch') }, ...others.map(option))] : [])];
}

/** A model's name, and what must be fetched before it works. @param {Model} model @param {Translate} t @param {Format} format */
export function modelText({ title, state, bytes }, t, format) {
  return state === 'missing' && bytes ? t('toDownload', { name: title, size: format.bytes(bytes) }) : title;
}
