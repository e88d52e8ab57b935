/**
 * Building and finding elements. Text from outside goes in as text only.
 *
 * @import { Translate } from './core/types.js'
 */

const SPRITES = new URL('../img/icons.svg', import.meta.url);
/** Symbols of another origin are not shown: a page opened from disk has them inside (`disk.js`). */
export const SPRITE = SPRITES.origin === location.origin ? `${SPRITES.pathname}#` : '#icon-';
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
