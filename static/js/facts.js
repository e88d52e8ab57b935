/**
 * What is said beside an opened photo: its sizes, where and how it was taken, what made it, how long that took, and what
 * to look at. For the page and the package alike.
 *
 * @import { FileView, FormMaker, Format, Translate } from './core/types.js'
 */

import { el } from './core/dom.js';
import { reasonsOf } from './core/store.js';
import { pretty, secondsText } from './core/words.js';
import { formatText } from './downloads.js';

const RUNTIMES = { openvino: 'OpenVINO', 'openvino-bf16': 'OpenVINO, bfloat16', 'openvino-int8': 'OpenVINO, 8 bit', onnxruntime: 'ONNX Runtime', opencv: 'OpenCV' };

/** @typedef {{t: Translate, format: Format, locale?: string, modelTitle: (name: string) => string}} FactsContext */

/** Titles and the lines of each. @param {FileView} file @param {FactsContext} context @returns {[string, string[]][]} */
export function factRows(file, { t, format, locale, modelTitle }) {
  /** @type {[string, any[]][]} */ const rows = [];
  const pixels = (/** @type {any} */ { width, height }) => width && height && t('factPixels', { width, height });
  if (file.number || file.caption) rows.push([t('factNamed'), [file.number, file.caption]]);
  if (file.size !== undefined) rows.push([t('factOriginal'), [pixels(file) || '', format.bytes(file.size)]]);
  const [only, ...others] = file.outputs ?? [];
  if (only) rows.push([t('factResult'), others.length ? [t('factResults', { n: others.length + 1 })] : [formatText(only.format), pixels(only), format.bytes(only.bytes)]]);
  rows.push(...shotRows(file.facts?.exif, t, locale));
  if (file.engine) rows.push([t('factEngine'), [file.engine.model === 'drawn' ? t('factByHand') : modelTitle(file.engine.model), RUNTIMES[file.engine.runtime] ?? pretty(file.engine.runtime)]]);
  if (file.faces) rows.push([t('factFaces'), [String(file.faces.length)]]);
  const spent = Object.entries(file.timings ?? {}).filter(([name]) => name !== 'total_s');
  if (spent.length) rows.push([t('factTime'), [secondsText(file.timings?.total_s ?? spent.reduce((sum, [, seconds]) => sum + seconds, 0), t)]]);
  return rows.map(([title, values]) => [title, values.filter(Boolean).map(String)]);
}

/** When, where and with what it was taken. @param {any} exif @param {Translate} t @param {string} [locale] @returns {[string, any[]][]} */
function shotRows(exif, t, locale) {
  if (!exif) return [];
  const number = (/** @type {number} */ value, digits = 1) => value.toLocaleString(locale, { maximumFractionDigits: digits });
  const { make = '', model = '', lens, taken, exposure_s: exposure, f_number: stop, iso, focal_length_mm: length, latitude, longitude, altitude_m: altitude } = exif;
  const camera = model && make && !model.toLowerCase().startsWith(make.toLowerCase()) ? `${make} ${model}` : model || make;
  const light = [exposure && (exposure < 0.3 ? `1/${number(1 / exposure, 0)} s` : `${number(exposure)} s`), stop && `f/${number(stop)}`, iso && `ISO ${number(iso, 0)}`, length && `${number(length)} mm`];
  /** @type {[string, any[]][]} */ const rows = [];
  if (taken) rows.push([t('factTaken'), [new Date(taken).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })]]);
  if (camera || lens || light.some(Boolean)) rows.push([t('factCamera'), [camera, lens, light.filter(Boolean).join(' · ')]]);
  if (typeof latitude === 'number' && typeof longitude === 'number') {
    rows.push([t('factPlace'), [`${number(latitude, 5)}, ${number(longitude, 5)}`, altitude && `${number(altitude, 0)} m`]]);
  }
  return rows;
}

/** @param {FormMaker} make @param {[string, string[]][]} rows */
export const drawFacts = (make, rows) => rows.flatMap(([title, lines]) => [make('dt', {}, title), make('dd', { dir: 'auto' }, lines.join('\n'))]);

/** What the time went into, for those who want to know. @param {FileView} file @param {Translate} t */
export function timings({ timings: all }, t) {
  const spent = Object.entries(all ?? {}).filter(([name, seconds]) => name !== 'total_s' && seconds >= 0.001).sort((one, other) => other[1] - one[1]);
  return drawFacts(el, spent.map(([name, seconds]) => [t(pretty(name.replace(/_s$/, ''))), [secondsText(seconds, t)]]));
}

/** What to look at, or why it failed, with the code of each. @param {FileView} file @returns {{kind: 'look'|'failed', code: string, text: string}[]} */
export function notesOf(file) {
  if (file.error) return [{ kind: 'failed', code: file.error.code, text: reasonsOf(file).join(' ') }];
  const codes = [...(file.review ?? []), ...file.warnings];
  return reasonsOf(file).map((text) => ({ kind: 'look', code: codes.find(({ message }) => message === text)?.code ?? '', text }));
}
