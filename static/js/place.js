/**
 * Where the page is: `#/jobs/<id>/<file>`, so that a reload, another tab or the Back button finds it again.
 *
 * @import { Place } from './page.js'
 */

/** @returns {Place|null} null where the hash is none of ours */
export function readPlace() {
  const { hash } = location;
  if (hash === '' || hash === '#/') return { job: '', file: '' };
  const found = /^#\/jobs\/([^/]+)(?:\/([^/]+))?$/.exec(hash);
  return found ? { job: decodeURIComponent(found[1]), file: decodeURIComponent(found[2] ?? '') } : null;
}

/** @param {string} [job] @param {string} [file] */
export function hashOf(job = '', file = '') {
  if (!job) return '#/';
  return `#/jobs/${encodeURIComponent(job)}${file ? `/${encodeURIComponent(file)}` : ''}`;
}

/** Changes the address without a step in the history, and tells nobody. @param {string} [job] @param {string} [file] */
export function replacePlace(job, file) {
  history.replaceState(history.state, '', hashOf(job, file));
}

/** @param {(place: Place) => void} listener */
export function onPlace(listener) {
  addEventListener('hashchange', () => {
    const place = readPlace();
    if (place) listener(place);
  });
}
