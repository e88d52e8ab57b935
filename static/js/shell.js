/** What every view shares: dialogs, the live region, and what the browser remembers. */

import { byId, icon } from './dom.js';

const PAUSE_MS = 1500;

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
