/**
 * What models there are, asked again every two seconds while one is downloading.
 *
 * @import { Client, Model, ModelList } from './core/types.js'
 */

const POLL_MS = 2_000;

/** @param {Model} model */
const isBusy = ({ state, optimised }) => state === 'downloading' || /running|paused/.test(optimised?.state ?? '');

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
    if (list.models.some(isBusy)) timer = setTimeout(refresh, POLL_MS);
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
    async optimise(name) {
      await client.optimiseModel(name);
      await refresh();
    },
    /** @param {(list: ModelList) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}
