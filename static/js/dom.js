/**
 * Building and finding elements, and what all views share: dialogs, the live region, the undo, the browser's memory.
 * Text from outside goes in as text only.
 *
 * @import { Translate } from './core/types.js'
 */

const SPRITE = '/static/img/icons.svg#';
const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} id @returns {any} the element; a missing one is a fault of the page */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element #${id}`);
  return found;
}

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] `on…` are listeners, `data-…` and `aria-…` attributes, others properties
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.includes('-') || name === 'for' || name === 'role') element.setAttribute(name, value);
    else /** @type {any} */ (element)[name] = value;
  }
  element.append(...children.filter((child) => child instanceof Node || Boolean(child)).map((child) => /** @type {Node|string} */ (child)));
  return element;
}

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', SPRITE + name);
  svg.append(use);
  return svg;
}

/** @param {Element} holder @param {string} name */
export function setIcon(holder, name) {
  holder.querySelector('use')?.setAttribute('href', SPRITE + name);
}

/** A button of an icon alone, with its name. @param {string} name @param {string} label @param {() => void} onclick */
export function iconButton(name, label, onclick) {
  return el('button', { type: 'button', className: 'icon-button', title: label, 'aria-label': label, onclick }, icon(name));
}

/** @param {any} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Puts the page's texts in. @param {ParentNode} root @param {Translate} t */
export function translate(root, t) {
  for (const element of root.querySelectorAll('[data-t]')) element.textContent = t(element.getAttribute('data-t') ?? '');
  for (const element of root.querySelectorAll('[data-t-alt]')) element.setAttribute('alt', t(element.getAttribute('data-t-alt') ?? ''));
  for (const element of root.querySelectorAll('[data-t-label]')) {
    const label = t(element.getAttribute('data-t-label') ?? '');
    element.setAttribute('aria-label', label);
    if (element.matches('button')) element.setAttribute('title', label);
  }
}

/** Runs `task` once before the next picture, however often it is asked for. @param {() => void} task */
export function oncePerFrame(task) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      task();
    });
  };
}

/** @param {string} key @returns {any} */
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

const PAUSE_MS = 1500;

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
