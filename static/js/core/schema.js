/**
 * JSON Schema of an operation's parameters -> the fields of a form.
 *
 * @import { Field } from './types.js'
 */

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
    step: stepOf(shape, typesOf(variants), percent),
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
function stepOf(shape, types, percent) {
  if (shape.multipleOf) return shape.multipleOf;
  if (!types.has('number')) return 1;
  return percent ? 0.01 : (shape.maximum ?? 100) - (shape.minimum ?? 0) <= 2 ? 0.01 : 0.1;
}

/** `on_missing` -> `On missing`. @param {unknown} value */
export function pretty(value) {
  const text = String(value).replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
