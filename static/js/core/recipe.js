/**
 * Changes to a recipe; each returns a new one. Operations keep the order of the catalogue, which is a sound order to run them in.
 *
 * @import { OperationInfo, OutputSpec, Recipe } from './types.js'
 */

/** @param {Recipe} recipe @param {string} op */
export const stepOf = (recipe, op) => recipe.operations.find((step) => step.op === op);

/** @param {Recipe} recipe @param {string} op @param {boolean} on @param {OperationInfo[]} catalogue @returns {Recipe} */
export function withStep(recipe, op, on, catalogue) {
  const rest = recipe.operations.filter((step) => step.op !== op);
  if (!on) return { ...recipe, operations: rest };
  const rank = (/** @type {string} */ name) => catalogue.findIndex((info) => info.op === name);
  const at = rest.findIndex((step) => rank(step.op) > rank(op));
  return { ...recipe, operations: rest.toSpliced(at < 0 ? rest.length : at, 0, { op }) };
}

/** @param {Recipe} recipe @param {string} op @param {string} key @param {unknown} value undefined: the default @returns {Recipe} */
export function withParameter(recipe, op, key, value) {
  const operations = recipe.operations.map((step) => (step.op === op ? changed(step, key, value) : step));
  return { ...recipe, operations };
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

/** @param {unknown} one @param {unknown} other */
export const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

/** @param {any} value @returns {any} */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}
