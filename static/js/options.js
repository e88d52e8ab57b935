/**
 * "What to make": the presets, and a form for each operation and result, drawn from the server's catalogue.
 *
 * @import { Catalogue, Field, OperationInfo, Preset, Recipe, Translate } from './core/types.js'
 * @import { DrawField, FieldContext, Page } from './page.js'
 */

import { fieldsOf, isIncomplete, pretty, same, stepOf, withAnotherOutput, withOutput, withParameter, withStep, withoutOutput } from './core/recipe.js';
import { byId, el, icon, iconButton, setText } from './dom.js';
import { recall, remember } from './shell.js';

const COLOURS = /** @type {const} */ ([['#ffffff', 'white'], ['#e9ebee', 'grey'], ['#6fa3d8', 'blue'], ['#000000', 'black']]);
const FORMATS = /** @type {Record<string, string>} */ ({ png: 'PNG', webp: 'WebP', jpeg: 'JPEG', avif: 'AVIF', tiff: 'TIFF', svg: 'SVG' });
const WORDS = new Set(['transparent', 'blur']);
const SAME = /** @type {Record<string, string>} */ ({ white: '#ffffff', '#fff': '#ffffff', black: '#000000', '#000': '#000000' });
const OWN = 'own-'; // begins the names of presets that this browser keeps
const USUAL = new Set(['remove_background', 'crop_face', 'resize']); // the others are folded away until they are used
const PLAIN = new Set(['png', 'tiff']); // no quality to choose

/** @param {Field} field @param {any} value @param {Translate} t */
function valueText(field, value, t) {
  if (value === null || value === undefined) return t('none');
  if (field.control === 'toggle') return t(value ? 'on' : 'off');
  if (field.control === 'colour') return colourText(value, t);
  if (typeof value === 'number') return field.percent ? `${Math.round(100 * value)} %` : [value, field.unit].filter((part) => part !== '').join(' ');
  return t(field.labels[value] ?? FORMATS[value] ?? pretty(value));
}

function colourText(value, t) {
  if (WORDS.has(value)) return t(value);
  const known = COLOURS.find(([hex]) => hex === (SAME[value] ?? value.toLowerCase()));
  return known ? t(known[1]) : value;
}

/** @param {string} id @param {Field} field @param {any} value @param {FieldContext} context */
function drawField(id, field, value, context) {
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

/** @param {Page} page */
export function createOptions(page) {
  const { t, models } = page;
  const holder = byId('steps');
  /** @type {Catalogue} */ let catalogue = { operations: [], outputs: {} };
  /** @type {Preset[]} */ let presets = [];
  /** @type {Map<string, Field[]>} */ let fields = new Map();
  /** @type {Field[]} */ let outputFields = [];
  /** @type {Recipe} */ let recipe = { operations: [], outputs: [{ name: 'full', format: 'png' }] };
  let chosen = '';
  /** @type {Set<string>} */ const opened = new Set();
  let summaries = [];

  /** Without what equals the default, so that a change and its undoing count as none. @param {Recipe} from */
  function bare(from) {
    /** @param {Field[]} of */
    const strip = (values, of) => Object.fromEntries(Object.entries(values)
      .filter(([key, value]) => !of.some((field) => field.key === key && same(field.default, value))));
    return {
      operations: from.operations.map((step) => strip(step, fields.get(step.op) ?? [])),
      outputs: from.outputs.map((output) => strip(output, outputFields)),
    };
  }

  const preset = () => presets.find(({ name }) => name === chosen);
  const isChanged = () => {
    const base = preset();
    return base !== undefined && !same(bare(base.recipe), bare(recipe));
  };

  /** @param {Recipe} next @param {boolean} [redraw] the form's shape changes with it */
  function change(next, redraw = false) {
    recipe = next;
    remember('recipe', { chosen, recipe });
    if (redraw) draw();
    summarise();
  }

  function summarise() {
    const changed = isChanged();
    setText(byId('options-summary'), [preset()?.title ?? '', changed ? t('changed') : ''].filter(Boolean).join(', '));
    byId('presets').querySelector('.reset').hidden = !changed;
    for (const summary of summaries) summary();
  }

  function drawPresets() {
    const cards = presets.map(({ name, title, description, recipe: its, own: isShared }) => el('label', { className: 'preset' },
      el('input', {
        type: 'radio', name: 'preset', value: name, id: `preset-${name}`, checked: name === chosen,
        onchange: () => {
          chosen = name;
          change(its, true);
        },
      }),
      el('span', {}, el('strong', {}, title), el('span', { className: 'small muted' }, description)),
      (isOwn(name) || isShared) && iconButton('delete', t('deleteNamed', { name: title }), () => (isOwn(name)
        ? setOwn(own().filter((one) => one.name !== name))
        : page.attempt(() => page.client.deletePreset(name).then(() => shared()))))));
    const reset = el('button', {
      type: 'button', className: 'button small', onclick: () => change(preset()?.recipe ?? recipe, true),
    }, icon('retry'), t('resetPreset'));
    byId('presets').replaceChildren(byId('presets').firstElementChild, ...cards, el('div', { className: 'reset', hidden: true }, reset, keepButton()), elsewhere());
  }

  /** What hands the recipe on is fetched when it is looked for. */
  function elsewhere() {
    const details = el('details', { className: 'field', ontoggle: () => page.attempt(async () => {
      if (!details.open || details.childElementCount > 1) return;
      const { recipeButtons } = await import('./recipes.js');
      const knows = (/** @type {Recipe} */ { operations }) => operations.every(({ op }) => fields.has(op));
      details.append(recipeButtons(page, { recipe: () => recipe, keep, knows, preset, shared }));
    }) }, el('summary', { id: 'elsewhere' }, t('elsewhere')));
    return details;
  }

  /** @param {string} title @param {Recipe} its */
  function keep(title, its) {
    chosen = `${OWN}${Date.now()}`;
    setOwn([...own(), { name: chosen, title, description: '', recipe: its }]);
    if (its !== recipe) change(its, true);
  }

  /** The server's presets are others now. @param {string} [name] the one to choose, which takes the chosen one's place */
  async function shared(name) {
    const gone = name && chosen;
    chosen = name ?? chosen;
    presets = (await page.client.presets()).presets;
    setOwn(own().filter((one) => one.name !== gone));
  }

  /** @returns {Preset[]} those that this browser keeps */
  const own = () => recall('presets') ?? [];
  const isOwn = (/** @type {string} */ name) => name.startsWith(OWN);

  /** @param {Preset[]} kept */
  function setOwn(kept) {
    remember('presets', kept);
    presets = [...presets.filter(({ name }) => !isOwn(name)), ...kept];
    if (!preset()) chosen = presets[0].name;
    drawPresets();
    summarise();
  }

  /** Becomes a field for the name; Enter keeps what is chosen now. */
  function keepButton() {
    const button = el('button', { type: 'button', className: 'button small', id: 'keep-preset', onclick: () => {
      button.replaceWith(field);
      field.focus();
    } }, icon('keep'), t('keepPreset'));
    const field = el('input', { type: 'text', id: 'preset-name', maxLength: 60, placeholder: t('presetName'), 'aria-label': t('presetName'), onkeydown: (event) => {
      if (event.key === 'Escape') field.replaceWith(button);
      if (event.key !== 'Enter' || !field.value.trim()) return;
      event.preventDefault();
      keep(field.value.trim(), recipe);
    } });
    return button;
  }

  function section(key, title, summary, content) {
    const value = el('span', { className: 'small muted section-value' }, summary());
    summaries.push(() => setText(value, summary()));
    const details = el('details', {
      className: 'section', open: opened.has(key), 'data-section': key,
      ontoggle: () => (details.open ? opened.add(key) : opened.delete(key)),
    }, el('summary', { id: `section-${key}` }, icon('chevron'), el('span', {}, title), value), el('div', { className: 'section-body' }, ...content));
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
      return section(key, group || info.title, () => operationSummary(info.op, shown), content);
    });
  }

  /** @param {OperationInfo} info */
  function stepToggle({ op, summary }, on) {
    const input = el('input', {
      type: 'checkbox', id: `use-${op}`, checked: on, onchange: () => change(withStep(recipe, op, input.checked, catalogue.operations), true),
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
      for (const { key } of wanted) document.getElementById(`${op}-${key}`)?.setAttribute('aria-invalid', String(lacking));
    });
    return line;
  }

  const infoOf = (/** @type {string} */ op) => /** @type {OperationInfo} */ (catalogue.operations.find((info) => info.op === op));

  /** @param {Field} field */
  function operationField(op, field) {
    return drawField(`${op}-${field.key}`, field, stepOf(recipe, op)?.[field.key], {
      t, models: modelChoices(), change: (value) => change(withParameter(recipe, op, field.key, value)),
    });
  }

  /** What differs from the default, else the colour, else that it is on. @param {Field[]} shown */
  function operationSummary(op, shown) {
    const step = stepOf(recipe, op);
    if (!step) return t('off');
    if (isIncomplete(infoOf(op), recipe)) return t('incomplete');
    const told = shown.filter(({ key, default: usual }) => step[key] !== undefined && !same(step[key], usual));
    const colour = op.endsWith('background') && shown.find(({ control }) => control === 'colour');
    if (!told.length && colour) return valueText(colour, colour.default, t);
    if (!told.length) return t('on');
    return told.slice(0, 2).map((field) => summaryOf(field, step[field.key])).join(', ');
  }

  /** @param {Field} field */
  function summaryOf(field, value) {
    if (field.control === 'model') return models.title(value);
    return field.control === 'toggle' ? `${field.title}: ${valueText(field, value, t)}` : valueText(field, value, t);
  }

  function outputSection() {
    const format = outputFields.find(({ key }) => key === 'format');
    const several = recipe.outputs.length > 1;
    const rows = recipe.outputs.map((output, index) => {
      const shown = outputFields.filter(({ key }) => key !== 'name' && !(key === 'quality' && PLAIN.has(output.format)));
      /** @param {Field[]} some */
      const drawn = (some) => some.map((field) => drawField(`output-${index}-${field.key}`, field, output[field.key], {
        t, models: [], change: (value) => change(withOutput(recipe, index, field.key, value), field.key === 'format'),
      }));
      const rare = shown.filter(({ group }) => group);
      return el('div', { className: 'output', role: 'group', 'aria-label': t('outputNumber', { n: index + 1 }) },
        ...drawn(shown.filter(({ group }) => !group)),
        el('details', { className: 'field' }, el('summary', {}, rare[0]?.group), ...drawn(rare)),
        several && iconButton('delete', t('removeOutput'), () => change(withoutOutput(recipe, index), true)));
    });
    const add = el('button', {
      type: 'button', className: 'button small', id: 'add-output', onclick: () => change(withAnotherOutput(recipe, format?.options ?? ['png']), true),
    }, t('addOutput'));
    const summary = () => recipe.outputs.map(({ format: name }) => (format ? valueText(format, name ?? format.default, t) : name)).join(', ');
    return section('outputs', t('output'), summary, [...rows, add]);
  }

  function modelChoices() {
    const { auto, models: all } = models.get();
    const automatic = { value: 'auto', label: auto ? t('autoNow', { name: models.title(auto) }) : t('auto') };
    return [automatic, ...all.filter(({ kind }) => kind !== 'face_detector').map(({ name, title, state, bytes }) => ({
      value: name,
      label: state === 'missing' && bytes ? t('toDownload', { name: title, size: page.format.bytes(bytes) }) : title,
    }))];
  }

  function draw() {
    const focused = document.activeElement?.id;
    summaries = [];
    const isShown = (/** @type {OperationInfo} */ { op }) => USUAL.has(op) || stepOf(recipe, op) !== undefined;
    const rare = catalogue.operations.filter((info) => !isShown(info));
    holder.replaceChildren(...catalogue.operations.filter(isShown).flatMap(operationSections), outputSection(),
      section('more', t('moreSteps'), () => t('some', { n: rare.length }), rare.flatMap(operationSections)));
    if (focused) document.getElementById(focused)?.focus();
  }

  /** What was chosen last time, where this server still knows it. */
  function restore() {
    const kept = recall('recipe');
    const known = kept && presets.some(({ name }) => name === kept.chosen)
      && kept.recipe?.outputs?.length && kept.recipe.operations?.every((/** @type {any} */ { op }) => fields.has(op));
    chosen = known ? kept.chosen : presets[0]?.name ?? '';
    recipe = known ? kept.recipe : presets[0]?.recipe ?? recipe;
  }

  const toggle = byId('options-toggle');
  toggle.onclick = () => {
    const open = toggle.getAttribute('aria-expanded') !== 'true';
    toggle.setAttribute('aria-expanded', String(open));
    byId('options').toggleAttribute('data-open', open);
  };
  byId('options-body').onsubmit = (event) => event.preventDefault();
  let offered = '';
  models.subscribe(() => {
    const now = JSON.stringify(modelChoices());
    if (now !== offered && catalogue.operations.length) draw();
    offered = now;
  });

  return {
    recipe: () => recipe,
    async load() {
      const [operations, { presets: list }] = await Promise.all([page.client.operations(), page.client.presets()]);
      catalogue = operations;
      presets = [...list, ...own()];
      fields = new Map(catalogue.operations.map(({ op, schema }) => [op, fieldsOf(schema)]));
      outputFields = fieldsOf(catalogue.outputs);
      restore();
      drawPresets();
      draw();
      summarise();
    },
  };
}
