/**
 * What is said beside an opened photo: its sizes, what made it, how long that took, and what to look at.
 *
 * @import { FileView } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { reasonsOf } from './core/store.js';
import { pretty } from './core/words.js';
import { el, icon } from './dom.js';

const RUNTIMES = { openvino: 'OpenVINO', 'openvino-bf16': 'OpenVINO, bfloat16', 'openvino-int8': 'OpenVINO, 8 bit', onnxruntime: 'ONNX Runtime', opencv: 'OpenCV' };

/** @param {FileView} file @param {Page} page */
export function facts(file, { t, format, models }) {
  /** @type {Array<[string, any[]]>} */ const rows = [];
  const pixels = (/** @type {any} */ { width, height }) => width && height && t('factPixels', { width, height });
  if (file.size !== undefined) rows.push([t('factOriginal'), [pixels(file) || '', format.bytes(file.size)]]);
  for (const output of file.outputs ?? []) {
    rows.push([`${t('factResult')} ${output.format.toUpperCase()}`, [pixels(output) || '', format.bytes(output.bytes)]]);
  }
  if (file.engine) rows.push([t('factEngine'), [models.title(file.engine.model), RUNTIMES[file.engine.runtime] ?? pretty(file.engine.runtime)]]);
  if (file.faces) rows.push([t('factFaces'), [String(file.faces.length)]]);
  const spent = Object.entries(file.timings ?? {}).filter(([name]) => name !== 'total_s');
  if (spent.length) {
    const total = file.timings?.total_s ?? spent.reduce((sum, [, seconds]) => sum + seconds, 0);
    rows.push([t('factTime'), [format.seconds(total)]]);
  }
  return rows.flatMap(([title, values]) => [el('dt', {}, title), el('dd', {}, values.filter(Boolean).join('\n'))]);
}

/** What the time went into, for those who want to know. @param {FileView} file @param {Page} page */
export function timings({ timings: all }, { t, format }) {
  const spent = Object.entries(all ?? {}).filter(([name, seconds]) => name !== 'total_s' && seconds >= 0.001).sort((one, other) => other[1] - one[1]);
  return spent.flatMap(([name, seconds]) => [el('dt', {}, t(pretty(name.replace(/_s$/, '')))), el('dd', {}, format.seconds(seconds))]);
}

/** @param {FileView} file */
export function notes(file) {
  if (file.error) return [note('failed', reasonsOf(file).join(' '))];
  return reasonsOf(file).map((sentence) => note('look', sentence));
}

/** @param {'look'|'failed'} kind */
const note = (kind, text) => el('p', { className: `note small ${kind}` }, icon(kind), el('span', {}, text));
