/**
 * "What to make": the presets, and a form for each operation and result, drawn from the server's catalogue.
 *
 * @import { Catalogue, Field, OperationInfo, Preset, Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { byId, el, icon, iconButton, setText } from './dom.js';
import { drawField, valueText } from './fields.js';
import { recall, remember } from './memory.js';
import { fieldsOf } from './core/schema.js';
import { same, stepOf, withAnotherOutput, withOutput, withParameter, withStep, withoutOutput } from './core/recipe.js';

const PLAIN = new Set(['png', 'tiff']); // no quality to choose

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
    const cards = presets.map(({ name, title, description, recipe: its }) => el('label', { className: 'preset' },
      el('input', {
        type: 'radio', name: 'preset', value: name, id: `preset-${name}`, checked: name === chosen,
        onchange: () => {
          chosen = name;
          change(its, true);
        },
      }),
      el('span', {}, el('strong', {}, title), el('span', { className: 'small muted' }, description))));
    const reset = el('button', {
      type: 'button', className: 'button small reset', hidden: true, onclick: () => change(preset()?.recipe ?? recipe, true),
    }, icon('retry'), t('resetPreset'));
    byId('presets').replaceChildren(byId('presets').firstElementChild, ...cards, reset);
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
      if (group === '') content.unshift(stepToggle(info, on));
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
    const told = shown.filter(({ key, default: usual }) => step[key] !== undefined && !same(step[key], usual));
    const colour = shown.find(({ control }) => control === 'colour');
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
      const drawn = shown.map((field) => drawField(`output-${index}-${field.key}`, field, output[field.key], {
        t, models: [], change: (value) => change(withOutput(recipe, index, field.key, value), field.key === 'format'),
      }));
      return el('div', { className: 'output', role: 'group', 'aria-label': t('outputNumber', { n: index + 1 }) }, ...drawn,
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
    return [automatic, ...all.map(({ name, title, state, bytes }) => ({
      value: name,
      label: state === 'missing' && bytes ? t('toDownload', { name: title, size: page.format.bytes(bytes) }) : title,
    }))];
  }

  function draw() {
    const focused = document.activeElement?.id;
    summaries = [];
    holder.replaceChildren(...catalogue.operations.flatMap(operationSections), outputSection());
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
      presets = list;
      fields = new Map(catalogue.operations.map(({ op, schema }) => [op, fieldsOf(schema)]));
      outputFields = fieldsOf(catalogue.outputs);
      restore();
      drawPresets();
      draw();
      summarise();
    },
  };
}
