/**
 * Photos taken out of their job, with the time to think again: hidden at once, deleted on the server by `commit`.
 *
 * @import { Client, Deletion, FileView, Session } from './types.js'
 */

/** @param {Client} client @param {Session} session @param {string[]} ids @returns {Deletion} */
export function removePhotos(client, { store, refresh }, ids) {
  const { job, order, files } = store.get();
  const shown = order.map((key, place) => /** @type {[number, FileView]} */ ([place, files.get(key)]))
    .filter(([, { id }]) => id !== null && ids.includes(id));
  const isShown = () => job !== null && store.get().job?.id === job.id;
  store.dispatch({ type: 'hidden', ids });

  /** Brings them back, as they are by now. */
  async function undo() {
    if (!isShown() || !job) return;
    store.dispatch({ type: 'shown', files: shown });
    const [now, listing] = await Promise.all([client.job(job.id), client.listing(job.id)]);
    if (isShown()) store.dispatch({ type: 'polled', job: now, ...listing });
  }

  return {
    undo,
    /** `leaving`: the page may be going away. Throws where the server refuses, and brings them back. */
    async commit(leaving = false) {
      if (!job) return;
      try {
        const now = await client.deleteFiles(job.id, ids, leaving);
        if (isShown()) store.dispatch({ type: 'polled', job: now, files: [], deleted: ids });
      } catch (error) {
        await undo().catch(() => {}); // the server does not answer: what is known of them is shown
        throw error;
      }
    },
  };
}
