/**
 * Changes to a recipe, each of which returns a new one; and the fields of a form, from the JSON Schema of an operation.
 * Operations keep the order of the catalogue, which is a sound order to run them in.
 *
 * @import { Field, OperationInfo, OutputSpec, Recipe } from './types.js'
 */

export { same } from './same.js';

import { pretty } from './words.js';

/** @param {Recipe} recipe @param {string} op */
export const stepOf = (recipe, op) => recipe.operations.find((step) => step.op === op);

/** @param {Recipe} recipe @param {string} op @param {boolean} on @param {OperationInfo[]} catalogue @returns {Recipe} */
export function withStep(recipe, op, on, catalogue) {
  const rest = recipe.operations.filter((step) => step.op !== op);
  if (!on) return { ...recipe, operations: rest };
  const rank = (/** @type {string} */ name) => catalogue.findIndex((info) => info.op === name);
  const at = rest.findIndex((step) => rank(step.op) > rank(op));
  const start = catalogue.find((info) => info.op === op)?.schema['x-start'];
  return { ...recipe, operations: rest.toSpliced(at < 0 ? rest.length : at, 0, { op, ...start }) };
}

/** @param {Recipe} recipe @param {string} op @param {string} key @param {unknown} value undefined: the default @returns {Recipe} */
export function withParameter(recipe, op, key, value) {
  const operations = recipe.operations.map((step) => (step.op === op ? changed(step, key, value) : step));
  return { ...recipe, operations };
}

/** Whether the step lacks what it cannot do without. @param {OperationInfo} info @param {Recipe} recipe */
export function isIncomplete({ op, schema }, recipe) {
  const step = stepOf(recipe, op);
  const needs = schema['x-needs'] ?? [];
  return step !== undefined && needs.length > 0 && needs.every((/** @type {string} */ key) => step[key] === undefined || step[key] === null || step[key] === '');
}

/** @param {Recipe} recipe @param {number} index @param {string} key @param {unknown} value @returns {Recipe} */
export function withOutput(recipe, index, key, value) {
  const outputs = recipe.outputs.map((output, at) => (at === index ? changed(output, key, value) : output));
  return { ...recipe, outputs };
}

/** @param {Recipe} recipe @param {string[]} formats what is on offer @returns {Recipe} */
export function withAnotherOutput(recipe, formats) {
  const used = new Set(recipe.outputs.map((output) => output.format));
  const format = formats.find((one) => !used.has(one)) ?? formats[0];
  return { ...recipe, outputs: [...recipe.outputs, { name: freeName(recipe.outputs, format), format }] };
}

/** @param {Recipe} recipe @param {number} index @returns {Recipe} */
export const withoutOutput = (recipe, index) => ({ ...recipe, outputs: recipe.outputs.toSpliced(index, 1) });

/** @param {OutputSpec[]} outputs @param {string} format */
function freeName(outputs, format) {
  const taken = new Set(outputs.map((output) => output.name));
  for (let n = 1; ; n++) {
    const name = n === 1 ? format : `${format}-${n}`;
    if (!taken.has(name)) return name;
  }
}

/** @template {Record<string, any>} T @param {T} object @param {string} key @param {unknown} value @returns {T} */
function changed(object, key, value) {
  const copy = { ...object, [key]: value };
  if (value === undefined) delete copy[key];
  return copy;
}

/** @param {any} schema an object's JSON Schema @returns {Field[]} in the order of the schema */
export function fieldsOf(schema) {
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== 'op')
    .map(([key, property]) => fieldOf(key, property, schema.$defs ?? {}))
    .filter((field) => field !== null);
}

/** @param {string} key @param {any} property @param {Record<string, any>} defs @returns {Field|null} */
function fieldOf(key, property, defs) {
  const variants = flatten(property, defs);
  const values = variants.flatMap((variant) => variant.enum ?? ('const' in variant ? [variant.const] : []));
  const nullable = variants.some((variant) => variant.type === 'null') || values.includes(null);
  const shape = Object.assign({}, ...variants.filter((variant) => variant.type !== 'null'), property);
  const control = controlOf(shape, variants, values);
  if (!control) return null;
  const percent = shape['x-control'] === 'percent';
  return {
    key,
    control,
    percent,
    title: shape.title ?? pretty(key),
    hint: (shape.description ?? '').replace(/`([^`]*)`/g, '“$1”'),
    default: property.default,
    nullable,
    integer: typesOf(variants).has('integer') && !typesOf(variants).has('number'),
    options: [...values, ...(control === 'text' || control === 'colour' ? shape.examples ?? [] : [])].filter((value) => value !== null),
    labels: shape['x-labels'] ?? {},
    min: shape.minimum ?? shape.exclusiveMinimum,
    max: shape.maximum ?? shape.exclusiveMaximum,
    step: incrementOf(shape, typesOf(variants), percent),
    unit: shape['x-unit'] ?? (percent ? '%' : shape['x-control'] === 'px' ? 'px' : ''),
    group: shape['x-group'] ?? '',
  };
}

/** @param {any} property @param {Record<string, any>} defs @returns {any[]} its variants, references followed */
function flatten(property, defs) {
  const resolved = property.$ref ? { ...defs[property.$ref.split('/').pop()], ...property, $ref: undefined } : property;
  const inner = resolved.anyOf ?? resolved.oneOf ?? resolved.allOf;
  return inner ? inner.flatMap((/** @type {any} */ variant) => flatten(variant, defs)) : [resolved];
}

/** @param {any[]} variants */
const typesOf = (variants) => new Set(variants.flatMap((variant) => variant.type ?? []));

/** @param {any} shape @param {any[]} variants @param {any[]} values @returns {Field['control']|null} */
function controlOf(shape, variants, values) {
  const types = typesOf(variants);
  const asked = shape['x-control'] ?? '';
  if (asked === 'model') return 'model';
  if (asked.startsWith('color') || asked === 'background') return 'colour';
  if (types.has('boolean')) return 'toggle';
  if (types.has('number') || types.has('integer')) return isSlider(shape, types) ? 'slider' : 'number';
  if (values.length) return 'choice';
  return types.has('string') ? 'text' : null;
}

/** @param {any} shape @param {Set<string>} types */
function isSlider(shape, types) {
  const { minimum, maximum } = shape;
  return !types.has('null') && minimum !== undefined && maximum !== undefined && (shape['x-control'] ?? '') !== 'px'
    && maximum - minimum <= 1000;
}

/** @param {any} shape @param {Set<string>} types @param {boolean} percent */
function incrementOf(shape, types, percent) {
  if (shape.multipleOf) return shape.multipleOf;
  if (!types.has('number')) return 1;
  return percent ? 0.01 : (shape.maximum ?? 100) - (shape.minimum ?? 0) <= 2 ? 0.01 : 0.1;
}
