/** What every view shares: dialogs, the live region, the undo, and what the browser remembers. */

import { byId, el, icon } from './dom.js';

const PAUSE_MS = 1500;
const UNDO_MS = 10_000;
/** By which the tabs of a browser tell each other that a job has changed. */
export const CHANNEL = 'photo-processor';

/** What this browser remembers; nothing where storage is forbidden. @param {string} key @returns {any} */
export function recall(key) {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} key @param {unknown} value */
export function remember(key, value) {
  try {
    localStorage.setItem(key, typeof value === 'string' ? value : JSON.stringify(value));
  } catch {
    // not remembered
  }
}

/** The one live region: the newest sentence wins, and not more than one comes in a pause. */
export function createAnnouncer() {
  const region = byId('live');
  let next = '';
  let free = true;

  function speak() {
    if (!next || !free) return;
    region.textContent = next;
    next = '';
    free = false;
    setTimeout(() => {
      free = true;
      speak();
    }, PAUSE_MS);
  }

  return (sentence) => {
    next = sentence;
    speak();
  };
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

/** The close button, and a click beside it. @param {HTMLDialogElement} dialog */
export function setUpDialog(dialog) {
  for (const button of dialog.querySelectorAll('[data-close]')) {
    button.append(icon('close'));
    button.addEventListener('click', () => dialog.close());
  }
  dialog.addEventListener('click', (event) => event.target === dialog && isOutside(dialog, event) && dialog.close());
  dialog.addEventListener('close', () => document.body.append(byId('toasts'), byId('live')));
}

/** All outside an open dialog is inert, so what must stay alive goes inside. @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.append(byId('toasts'), byId('live'));
}

function isOutside(element, { clientX, clientY }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
