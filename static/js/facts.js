/**
 * What is known of an opened photo, beside it.
 *
 * @import { FileView } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { el, icon } from './dom.js';
import { pretty } from './core/schema.js';

const RUNTIMES = /** @type {Record<string, string>} */ ({ openvino: 'OpenVINO', onnxruntime: 'ONNX Runtime', opencv: 'OpenCV' });

/** @param {FileView} file @param {Page} page */
export function facts(file, { t, format, models }) {
  /** @type {Array<[string, Array<string|false|null|undefined>]>} */
  const rows = [];
  const pixels = (/** @type {{width?: number|null, height?: number|null}} */ { width, height }) => width && height && t('factPixels', { width, height });
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
    for (const [name, seconds] of spent) rows.push([`– ${pretty(name.replace(/_s$/, '')).toLowerCase()}`, [format.seconds(seconds)]]);
  }
  return rows.flatMap(([title, values]) => [el('dt', {}, title), el('dd', {}, values.filter(Boolean).join('\n'))]);
}

/** @param {FileView} file */
export function notes(file) {
  const drawn = file.warnings.map(({ message }) => note('look', message));
  if (file.error) drawn.unshift(note('failed', [file.error.message, file.error.hint].filter(Boolean).join(' ')));
  return drawn;
}

/** @param {'look'|'failed'} kind */
const note = (kind, text) => el('p', { className: `note small ${kind}` }, icon(kind), el('span', {}, text));

/** @param {FileView} file @param {string} jobId @param {Page} page */
export function actions(file, jobId, { client, t, retryFile }) {
  if (!file.id) return [];
  const id = file.id;
  const outputs = file.outputs ?? [];
  const drawn = file.status !== 'completed' ? [] : outputs.map(({ name, format }, index) => el('a', {
    className: index ? 'button' : 'primary', href: `${client.url.result(jobId, id, name)}?download=1`, download: '', 'data-output': name,
  }, icon('download'), outputs.length > 1 ? t('downloadFormat', { format: format.toUpperCase() }) : t('downloadResult')));
  if (file.status === 'failed') drawn.push(el('button', { type: 'button', className: 'primary', onclick: () => retryFile(file) }, t('retry')));
  drawn.push(el('a', { className: 'quiet', href: `${client.url.source(jobId, id)}?download=1`, download: '' }, t('downloadOriginal')));
  return drawn;
}
