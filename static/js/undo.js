/** The undo, and word to the other tabs once it is too late for one. */

import { byId, el } from './dom.js';

const UNDO_MS = 10_000;
/** By which the tabs of a browser tell each other that a job has changed; `main.js` listens. */
const CHANNEL = 'photo-processor';

/** Other tabs look at their job again. */
export function tellTabs() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage('changed');
  channel.close();
}

/**
 * A line at the foot of the page with an undo; the deed is done when its time is up, or when the page goes.
 * @param {string} text @param {string} undoLabel @param {{commit: (leaving: boolean) => void, undo: () => void}} deed
 */
export function offerUndo(text, undoLabel, { commit, undo }) {
  let open = true;
  const end = (then) => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    removeEventListener('pagehide', leave);
    const held = element.contains(document.activeElement);
    element.remove();
    if (held) (document.querySelector('dialog[open] [data-close]') ?? byId('main')).focus();
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
