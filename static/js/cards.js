/**
 * The list of photos. Changes are gathered and drawn once a frame, in slices short enough to keep the page fluid.
 *
 * @import { State } from './core/types.js'
 * @import { Card, Page } from './page.js'
 */

import { byId, oncePerFrame } from './dom.js';
import { createCard, paintCard } from './card.js';

const SLICE_MS = 12;

/** @param {Page} page */
export function createCards(page) {
  const list = byId('cards');
  /** @type {Map<string, Card>} */ let cards = new Map();
  /** @type {Set<string>} */ const pending = new Set();
  /** @type {State['files']|null} */ let shown = null;
  /** @type {State['model']} */ let model = null;

  function gather(state) {
    if (state.files !== shown) {
      shown = state.files;
      cards = new Map();
      pending.clear();
      list.replaceChildren();
      for (const key of state.order) pending.add(key);
    }
    for (const key of state.changed) pending.add(key);
    if (state.model !== model) {
      model = state.model;
      for (const [key, card] of cards) if (card.file?.stage === 'downloading the model') pending.add(key);
    }
    if (pending.size) draw();
  }

  const draw = oncePerFrame(() => {
    const state = page.session.store.get();
    const until = performance.now() + SLICE_MS;
    const fresh = document.createDocumentFragment();
    for (const key of pending) {
      if (performance.now() > until) break;
      pending.delete(key);
      drawOne(state, key, fresh);
    }
    list.append(fresh);
    if (pending.size) draw();
  });

  function drawOne(state, key, fresh) {
    const file = state.files.get(key);
    let card = cards.get(key);
    if (!file) {
      card?.element.remove();
      cards.delete(key);
      return;
    }
    if (!card) {
      card = createCard();
      card.element.dataset.key = key;
      cards.set(key, card);
      fresh.append(card.element);
    }
    paintCard(card, file, state.model, state.job?.id ?? '', page);
  }

  list.addEventListener('click', (event) => {
    const file = cards.get(event.target.closest('.card')?.dataset.key)?.file;
    if (!file) return;
    if (event.target.closest('.thumb') && file.id) page.openFile(file.id);
    if (event.target.closest('.retry')) page.retryFile(file);
  });

  page.session.store.subscribe(gather);
  gather(page.session.store.get());

  return {
    /** Moves the focus from photo to photo. */
    step(by) {
      const thumbs = [...list.querySelectorAll('.thumb')].filter((thumb) => thumb.offsetParent !== null);
      const at = thumbs.indexOf(document.activeElement);
      thumbs[at < 0 ? (by > 0 ? 0 : thumbs.length - 1) : at + by]?.focus();
    },
  };
}
