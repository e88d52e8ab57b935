/**
 * Finding elements, icons, and the page's texts.
 *
 * @import { Translate } from './core/types.js'
 */

import { el } from './core/dom.js';

export { el, oncePerFrame, setText } from './core/dom.js';

const SPRITES = new URL('../img/icons.svg', import.meta.url);
/** The symbol laid into the page (`icons.js`), else in its file; of another origin that is not shown. @param {string} name */
const symbolOf = (name) => (SPRITES.origin !== location.origin || document.getElementById(`icon-${name}`) ? `#icon-${name}` : `${SPRITES.pathname}#${name}`);
const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} id @returns {any} the element; a missing one is a fault of the page */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element #${id}`);
  return found;
}

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', symbolOf(name));
  svg.append(use);
  return svg;
}

/** @param {Element} holder @param {string} name */
export function setIcon(holder, name) {
  holder.querySelector('use')?.setAttribute('href', symbolOf(name));
}

/** A button of an icon alone, with its name. @param {string} name @param {string} label @param {() => void} onclick */
export function iconButton(name, label, onclick) {
  return el('button', { className: 'icon-button', title: label, 'aria-label': label, onclick }, icon(name));
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
