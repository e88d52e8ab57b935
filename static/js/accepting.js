/**
 * "Looks fine", of one photo or many, with the time to think again.
 *
 * @import { Page } from './page.js'
 */

import { groupOf } from './core/store.js';
import { withDeskTexts } from './desk-texts.js';
import { offerUndo } from './undo.js';

/** @param {Page} page @param {string[]} ids */
export function acceptPhotos(page, ids) {
  const t = withDeskTexts(page.t);
  const { client, session } = page;
  const job = session.store.get().job?.id;
  if (!ids.length || !job) return Promise.resolve();
  const say = (/** @type {boolean} */ accepted) => {
    if (session.store.get().job?.id === job) return session.again((id) => client.acceptFiles(id, ids, accepted));
    return client.acceptFiles(job, ids, accepted);
  };
  return page.attempt(async () => {
    await say(true);
    const text = t('accepted', { n: ids.length });
    page.announce(text);
    offerUndo(text, t('undo'), { commit: () => {}, undo: () => page.attempt(() => say(false)) });
  });
}

/** The photo that has the focus looks fine; on to the next one. @param {Page} page @param {ReturnType<typeof import('./cards.js').createCards>|null} cards */
export function acceptFocused(page, cards) {
  const file = cards?.focused();
  if (!file?.id || groupOf(file) !== 'look') return undefined;
  cards?.step(1);
  return acceptPhotos(page, [file.id]);
}
