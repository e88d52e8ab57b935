/** A line at the foot of the page with an undo; the deed is done when its time is up, or when the page goes. */

import { byId, el } from './dom.js';

const UNDO_MS = 10_000;

/** @param {string} text @param {string} undoLabel @param {{commit: (leaving: boolean) => void, undo: () => void}} deed */
export function offerUndo(text, undoLabel, { commit, undo }) {
  let open = true;
  /** @param {() => void} then */
  const end = (then) => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    removeEventListener('pagehide', leave);
    element.remove();
    then();
  };
  const leave = () => end(() => commit(true));
  const element = el('div', { className: 'toast' },
    el('p', {}, text),
    el('button', { type: 'button', className: 'button', onclick: () => end(undo) }, undoLabel));
  byId('toasts').append(element);
  const timer = setTimeout(() => end(() => commit(false)), UNDO_MS);
  addEventListener('pagehide', leave);
}
