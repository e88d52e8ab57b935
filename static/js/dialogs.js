/** What all dialogs share: the close button, a click beside them, and room for the undo and the live region. */

import { byId, icon } from './dom.js';

/** @param {HTMLDialogElement} dialog */
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

/** @param {any} element @param {MouseEvent} event */
function isOutside(element, { clientX, clientY }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
