/**
 * One way to what was made: a link where it is one file, else a menu with the size and the bytes of each. The largest first.
 *
 * @import { FormMaker, Format, Output, Translate } from './core/types.js'
 */

import { pretty } from './core/words.js';

/** `webp` -> `WebP`. @param {string} format */
export const formatText = (format) => (format === 'webp' ? 'WebP' : format.toUpperCase());

/** @param {Output} output @param {Translate} t @param {Format} format */
export const outputText = ({ format: kind, width, height, bytes }, t, format) => [formatText(kind), width && height && t('factPixels', { width, height }), format.bytes(bytes)].filter(Boolean).join(' · ');

/**
 * @param {{el: FormMaker, t: Translate, format: Format, link: (url: string, properties: Record<string, any>, ...children: any[]) => HTMLElement, chevron?: Node}} context
 * @param {readonly Output[]} outputs @param {(name: string) => string} addressOf
 */
export function downloadMenu({ el, t, format, link, chevron }, outputs, addressOf) {
  const sorted = [...outputs].sort((one, other) => other.width * other.height - one.width * one.height);
  const [first] = sorted;
  if (!first) return null;
  const small = (/** @type {Output} */ output) => el('span', { className: 'small muted' }, outputText(output, t, format));
  if (sorted.length === 1) {
    return el('div', { className: 'downloads' }, link(addressOf(first.name), { 'data-output': first.name }, t('downloadResult')), small(first));
  }
  const menu = el('details', { className: 'downloads' }, el('summary', {}, t('downloadResult'), chevron ?? ''),
    el('ul', { role: 'list' }, ...sorted.map((output) => el('li', {}, link(addressOf(output.name), { 'data-output': output.name }, el('span', {}, pretty(output.name)), small(output))))));
  return menu;
}
