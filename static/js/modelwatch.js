/**
 * The list of models, asked again every two seconds while one is downloading.
 *
 * @import { Client, ModelList } from './core/types.js'
 */

const POLL_MS = 2_000;

/** @param {Client} client */
export function createModelWatch(client) {
  /** @type {ModelList} */ let list = { auto: '', models: [] };
  /** @type {Set<(list: ModelList) => void>} */ const listeners = new Set();
  let timer;

  async function refresh() {
    clearTimeout(timer);
    try {
      list = await client.models();
    } catch {
      timer = setTimeout(refresh, 5 * POLL_MS);
      return;
    }
    if (list.models.some(({ state }) => state === 'downloading')) timer = setTimeout(refresh, POLL_MS);
    for (const listener of listeners) listener(list);
  }

  return {
    get: () => list,
    refresh,
    find: (name) => list.models.find((model) => model.name === name),
    title: (name) => list.models.find((model) => model.name === name)?.title ?? name,
    async download(name) {
      await client.downloadModel(name);
      await refresh();
    },
    /** @param {(list: ModelList) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}
