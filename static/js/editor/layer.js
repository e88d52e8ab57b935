/**
 * What the editors share: a layer over the stage whose looks no rule of the page around it can reach, the steps that can
 * be taken back, and the grounds behind the photo.
 *
 * @import { Translate } from '../core/types.js'
 */

import { el } from '../core/dom.js';

const LOOKS = `
:host {
  all: initial; color-scheme: inherit; position: absolute !important; inset: 0 !important; z-index: 1; margin: 0 !important; visibility: visible !important;
  display: grid !important; grid-template: minmax(0, 1fr) auto / minmax(0, 1fr) !important; gap: 12px !important; box-sizing: border-box !important;
  --accent-now: var(--pp-accent, var(--accent, #0b6150)); --accent-ink-now: var(--pp-accent-ink, var(--accent-ink, #fff)); --ink-now: var(--pp-ink, var(--ink, CanvasText));
  --surface-now: var(--pp-surface, var(--surface, Canvas)); --line-now: var(--pp-line-strong, var(--line-strong, #858b8b)); --soft-now: var(--pp-accent-soft, var(--accent-soft, #e4f0ec));
  --checker-now: var(--pp-checker, var(--checker, #ddd)); --radius-now: var(--pp-radius, var(--radius, 6px));
  font: 15px/22px system-ui, -apple-system, "Segoe UI", Roboto, Ubuntu, "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; color: var(--ink-now);
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button { display: inline-flex; align-items: center; justify-content: center; min-width: 36px; min-height: 36px; padding: 0 12px; border: 1px solid var(--line-now); border-radius: var(--radius-now); background: var(--surface-now); color: inherit; font: inherit; cursor: pointer; }
button.primary { border-color: var(--accent-now); background: var(--accent-now); color: var(--accent-ink-now); font-weight: 600; }
button.quiet { border-color: transparent; background: none; }
button[aria-pressed="true"] { border-color: var(--accent-now); background: var(--soft-now); color: var(--accent-now); }
button:disabled { opacity: .45; cursor: default; }
:focus-visible { outline: 2px solid var(--accent-now); outline-offset: 2px; }
.surface { position: relative; min-width: 0; min-height: 0; overflow: hidden; border-radius: var(--radius-now); background: var(--ground, var(--checker-now)); touch-action: none; user-select: none; -webkit-user-select: none; }
.surface:focus-visible { outline-offset: -2px; }
.surface canvas { position: absolute; inset: 0 auto auto 0; display: block; max-width: none; transform-origin: 0 0; }
.bar { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; justify-content: center; }
.bar > div { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: center; }
label { display: flex; gap: 8px; align-items: center; font-size: 13px; line-height: 18px; }
input[type="range"] { flex: 1; min-width: 0; width: 100%; min-height: 28px; margin: 0; accent-color: var(--accent-now); }
output { min-width: 44px; text-align: right; }
.grounds { gap: 6px; margin: 0; padding: 0; border: 0; }
.ground { width: 28px; min-width: 28px; min-height: 28px; padding: 0; border-radius: 50%; background: var(--swatch); }
.ground[aria-pressed="true"] { background: var(--swatch); outline: 2px solid var(--accent-now); outline-offset: 2px; }
.ask { position: absolute; z-index: 3; inset: auto 0 0; display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; justify-content: center; padding: 12px; border: 1px solid var(--line-now); border-radius: var(--radius-now); background: var(--surface-now); }
.ask p { margin: 0; }
@media (pointer: coarse) { button, label { min-height: 44px; } .ground { width: 44px; min-height: 44px; } }
@media (max-width: 860px) { :host { inset: 8px 12px 12px !important; gap: 8px !important; } .bar { gap: 6px 8px; } }
@media (forced-colors: active) { .ground, .surface canvas { forced-color-adjust: none; } .surface { border: 1px solid; } }
`;

/** Behind the photo: by its name, what is painted there. `photo` is the photo itself, uncut. */
export const GROUNDS = /** @type {const} */ ({
  photo: 'linear-gradient(135deg, #6b8f71, #d8c3a5)', checker: 'var(--checker-now)', white: '#fff', black: '#000', own: '#4d9ab5',
});

/**
 * @param {HTMLElement} stage what it lies over, with a position of its own
 * @param {string} name @param {string} looks rules of this editor
 * @param {...(Node|null)} children
 */
export function openLayer(stage, name, looks, ...children) {
  const host = el('div', { className: name, 'data-editor': name });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(LOOKS + looks);
  root.adoptedStyleSheets = [sheet];
  root.append(...children.filter((child) => child !== null));
  stage.append(host);
  return host;
}

/**
 * The states of an editor, one a step: what was done can be taken back and done again.
 * @template T @param {T} first @param {(now: T) => void} shown
 */
export function createSteps(first, shown) {
  let all = [first];
  let at = 0;
  let last = { kind: '', when: 0 };
  const go = (/** @type {number} */ to) => {
    if (to < 0 || to >= all.length) return;
    at = to;
    last.kind = '';
    shown(all[at]);
  };
  return {
    get now() {
      return all[at];
    },
    get canUndo() {
      return at > 0;
    },
    get canRedo() {
      return at < all.length - 1;
    },
    /** Another state. Those of one kind that follow each other quickly, as of a wheel, are one step. @param {T} state @param {string} [kind] */
    add(state, kind = '') {
      const when = Date.now();
      const same = kind !== '' && kind === last.kind && when - last.when < 800 && at > 0;
      last = { kind, when };
      all = [...all.slice(0, same ? at : at + 1), state];
      at = all.length - 1;
    },
    undo: () => go(at - 1),
    redo: () => go(at + 1),
  };
}

/**
 * The grounds to choose from, which the keys 1 to 5 choose too.
 * @param {HTMLElement} surface @param {Translate} t @param {string} own a colour @param {(name: string) => void} chosen
 */
export function createGrounds(surface, t, own, chosen) {
  const names = Object.keys(GROUNDS);
  const labels = { photo: 'wholePhoto', checker: 'checker', white: 'white', black: 'black', own: 'ownColour' };
  const paint = (/** @type {string} */ name) => (name === 'own' ? own : GROUNDS[name]);
  const buttons = names.map((name, index) => {
    const button = el('button', { className: 'ground', 'aria-pressed': 'false', title: `${t(labels[name])} (${index + 1})`, 'aria-label': t(labels[name]), onclick: () => choose(name) });
    button.style.setProperty('--swatch', paint(name));
    return button;
  });
  /** @param {string} name */
  function choose(name) {
    buttons.forEach((button, index) => button.setAttribute('aria-pressed', String(names[index] === name)));
    surface.style.setProperty('--ground', name === 'photo' ? 'var(--checker-now)' : paint(name));
    surface.dataset.ground = name;
    chosen(name);
  }
  return {
    element: el('div', { className: 'grounds', role: 'group', 'aria-label': t('backdrop') }, ...buttons),
    choose,
    /** @param {string} key */
    press: (key) => {
      const name = names[Number(key) - 1];
      if (name) choose(name);
      return Boolean(name);
    },
  };
}

/** A picture that may be drawn on a canvas and read again. @param {string} src @returns {Promise<HTMLImageElement>} */
export async function loadPicture(src) {
  const image = new Image();
  if (new URL(src, location.href).origin !== location.origin) image.crossOrigin = 'anonymous';
  image.src = src;
  await image.decode();
  return image;
}

/** @param {number} width @param {number} height */
export function canvasOf(width, height) {
  const canvas = el('canvas', { width, height });
  return { canvas, draw: /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')) };
}

/** White, opaque where the mask is bright. @param {HTMLImageElement} mask @param {number} width @param {number} height */
export function opacityOf(mask, width, height) {
  const { canvas, draw } = canvasOf(width, height);
  draw.drawImage(mask, 0, 0, width, height);
  const data = draw.getImageData(0, 0, width, height);
  for (let at = 0; at < data.data.length; at += 4) {
    data.data[at + 3] = data.data[at];
    data.data.fill(255, at, at + 3);
  }
  draw.putImageData(data, 0, 0);
  return canvas;
}

/** The control that a key was pressed on, inside the layer too. @param {KeyboardEvent} event */
export const targetOf = (event) => /** @type {Element} */ (event.composedPath()[0]);

/** Whether Space belongs to what has the focus. @param {KeyboardEvent} event */
export const isPressed = (event) => targetOf(event).matches('button, input, select');
