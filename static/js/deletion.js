/**
 * Photos deleted on the page: gone from sight at once, from the server when the undo's time is up.
 *
 * @import { Page, Place } from './page.js'
 */

import { removePhotos } from './core/deletion.js';
import { byId } from './dom.js';
import { readPlace, replacePlace } from './place.js';
import { offerUndo, tellTabs } from './undo.js';

/** @param {Page} page @param {string[]} ids */
export function deletePhotos(page, ids) {
  const { client, session, t } = page;
  const { files, keys } = session.store.get();
  if (!ids.length) return;
  const first = files.get(keys.get(ids[0]) ?? '')?.name ?? '';
  const text = ids.length === 1 ? t('deleted', { name: first }) : t('deletedPhotos', { n: ids.length });
  const next = besideCards(ids);
  const from = { hash: location.hash, place: readPlace() };
  const { commit, undo } = removePhotos(client, session, ids);
  offerUndo(text, t('undo'), {
    commit: (leaving) => page.attempt(async () => {
      await commit(leaving);
      tellTabs();
    }),
    undo: () => page.attempt(async () => {
      await undo();
      comeBack(from, ids);
    }),
  });
  page.announce(text);
  if (next && !document.querySelector('dialog[open]')) next.focus();
}

/** To the photo that was opened, else to the first of those in the list. @param {{hash: string, place: Place|null}} from @param {string[]} ids */
function comeBack({ hash, place }, ids) {
  if (place?.job !== readPlace()?.job) return;
  if (place?.file && readPlace()?.file) { // the viewer is open: no further step in the history
    replacePlace(place.job, place.file);
    dispatchEvent(new Event('hashchange'));
  } else if (place?.file) location.hash = hash;
  else {
    requestAnimationFrame(() => setTimeout(() => {
      const card = byId('cards').querySelector(`[data-id="${CSS.escape(ids[0])}"]`);
      card?.scrollIntoView({ block: 'nearest' });
      card?.querySelector('.thumb')?.focus();
    }));
  }
}

/** The photo to go on with: the first after those that go, else the last before. @param {string[]} ids @returns {HTMLElement|null} */
function besideCards(ids) {
  const shown = /** @type {any[]} */ ([...byId('cards').children]).filter((card) => card.offsetParent !== null);
  const goes = (/** @type {any} */ card) => ids.includes(card.dataset.id);
  const last = shown.findLastIndex(goes);
  const card = shown.slice(last + 1).find((one) => !goes(one)) ?? shown.slice(0, Math.max(0, last)).findLast((one) => !goes(one));
  return card?.querySelector('.thumb') ?? null;
}
