/**
 * The mask by hand: what was cut away is taken back, what was left is wiped out. Fetched when it is first asked for.
 *
 * The mask is a canvas of the photo's own size whose opacity says what is kept.
 *
 * @import { EditorOptions, MaskEdit } from './core/types.js'
 */

import { el } from './core/dom.js';
import { GROUNDS, canvasOf, createGrounds, createSteps, isPressed, loadPicture, opacityOf, openLayer } from './editor/layer.js';
import { TOOLS } from './editor/strokes.js';
import { withEditorTexts } from './editor/texts.js';

const MOST_PX = 16_000_000; // of a canvas on a phone
const SIZES = { min: 4, max: 200, value: 40 }; // px of the screen
const FAINT = 0.3; // how much is seen of what is cut away
const MOST_ZOOM = 16;
const STEP = 1.25;
const LOOKS = `
.surface { cursor: none; background: none; }
.under { position: absolute; inset: 0 auto auto 0; background: var(--ground); border-radius: var(--radius-now); }
.bar[inert] { visibility: hidden; }
.surface[data-moving] { cursor: grab; }
.surface[data-moving] .brush-ring { visibility: hidden; }
.brush-ring { position: absolute; inset: 0 auto auto 0; border: 1px solid #fff; border-radius: 50%; outline: 1px solid #000; pointer-events: none; }
.size { flex: 0 1 180px; }
.zoom button { min-width: 36px; padding: 0 8px; }
@media (max-width: 860px) { .size { flex: 1 1 100%; } }
`;

/**
 * Lays itself over `stage` until it is saved or given up.
 * @param {HTMLElement} stage
 * @param {EditorOptions & {mask: string, draft?: readonly MaskEdit[]|null, save: (mask: Blob) => Promise<void>, closed: (draft: readonly MaskEdit[]|null) => void}} options
 *   `draft`: edits that were not saved
 */
export async function openBrush(stage, { photo: photoSrc, mask: maskSrc, draft = null, t: texts, save, closed }) {
  const t = withEditorTexts(texts);
  const [photo, first] = await Promise.all([loadPicture(photoSrc), loadPicture(maskSrc)]);
  const shrink = Math.min(1, Math.sqrt(MOST_PX / (first.naturalWidth * first.naturalHeight)));
  const width = Math.round(first.naturalWidth * shrink);
  const height = Math.round(first.naturalHeight * shrink);
  const base = opacityOf(first, width, height);
  const mask = canvasOf(width, height);
  const view = canvasOf(width, height);
  const steps = createSteps(/** @type {readonly MaskEdit[]} */ ([]), redraw);
  if (draft?.length) steps.add(draft);
  /** @type {MaskEdit|null} */ let edit = null;
  /** @type {Map<number, {x: number, y: number}>} */ const fingers = new Map();
  const place = { scale: 1, x: 0, y: 0, space: false };
  let tool = TOOLS[0];
  /** @type {HTMLElement|null} */ let asking = null;

  const under = el('div', { className: 'under' });
  const ring = el('span', { className: 'brush-ring' });
  const size = el('input', { type: 'range', ...SIZES, 'aria-label': t('brushSize'), oninput: () => setRing() });
  const tools = TOOLS.map((one) => el('button', { 'aria-pressed': 'false', title: one.key.toUpperCase(), onclick: () => choose(one) }, t(one.name)));
  const undo = el('button', { onclick: steps.undo, title: 'Z' }, t('undo'));
  const redo = el('button', { onclick: steps.redo, title: '⇧ Z' }, t('redoStep'));
  const done = el('button', { className: 'primary', onclick: finish }, t('save'));
  const cancel = el('button', { className: 'quiet', onclick: () => leave() }, t('cancel'));
  const surface = el('div', { className: 'surface brush-surface', role: 'group', 'aria-label': t('brushArea') }, under, view.canvas, ring);
  const grounds = createGrounds(surface, t, GROUNDS.own, () => show());
  const small = (/** @type {string} */ sign, /** @type {string} */ name, /** @type {() => void} */ onclick) => el('button', { onclick, title: t(name), 'aria-label': t(name) }, sign);
  const bar = el('div', { className: 'bar brush-bar', role: 'toolbar', 'aria-label': t('brush') },
    el('div', {}, ...tools), el('label', { className: 'size' }, t('brushSize'), size), grounds.element,
    el('div', { className: 'zoom' }, small('−', 'zoomOut', () => zoom(1 / STEP)), small('+', 'zoomIn', () => zoom(STEP)), small('⤢', 'zoomAll', fit)),
    el('div', {}, undo, redo, cancel, done));
  const layer = openLayer(stage, 'brush', LOOKS, surface, bar);

  /** @param {typeof TOOLS[number]} chosen */
  function choose(chosen) {
    tool = chosen;
    TOOLS.forEach((one, index) => tools[index].setAttribute('aria-pressed', String(one === chosen)));
  }

  /** Px of the screen for one of the mask where all of it is seen. */
  const fitted = () => Math.min(surface.clientWidth / width, surface.clientHeight / height) || 1;
  /** Px of the mask for one of the screen. */
  const perPx = () => width / view.canvas.getBoundingClientRect().width;

  function apply() {
    const by = fitted() * place.scale;
    const spare = { x: surface.clientWidth - width * by, y: surface.clientHeight - height * by };
    for (const axis of /** @type {const} */ (['x', 'y'])) {
      place[axis] = spare[axis] > 0 ? spare[axis] / 2 : Math.min(0, Math.max(spare[axis], place[axis]));
    }
    view.canvas.style.transform = `translate(${place.x}px, ${place.y}px) scale(${by})`;
    Object.assign(under.style, { translate: `${place.x}px ${place.y}px`, width: `${width * by}px`, height: `${height * by}px` });
  }

  /** What is under the point stays there. @param {number} factor @param {{x: number, y: number}} [at] px of the window */
  function zoom(factor, at) {
    const { left, top, width: wide, height: high } = surface.getBoundingClientRect();
    const [x, y] = at ? [at.x - left, at.y - top] : [wide / 2, high / 2];
    const next = Math.min(MOST_ZOOM, Math.max(1, place.scale * factor));
    place.x = x - ((x - place.x) * next) / place.scale;
    place.y = y - ((y - place.y) * next) / place.scale;
    place.scale = next;
    apply();
  }

  function fit() {
    place.scale = 1;
    apply();
  }

  function setRing() {
    ring.style.width = ring.style.height = `${size.value}px`;
  }

  /** The photo where it is kept, over its ground or over itself, faint; all of it, or the part between two corners. */
  function show(left = 0, top = 0, right = width, bottom = height) {
    const { draw } = view;
    const [x, y] = [Math.floor(left), Math.floor(top)]; // a part of a px would leave a seam
    draw.save();
    draw.beginPath();
    draw.rect(x, y, Math.ceil(right) - x, Math.ceil(bottom) - y);
    draw.clip();
    draw.clearRect(0, 0, width, height);
    draw.drawImage(photo, 0, 0, width, height);
    draw.globalCompositeOperation = 'destination-in';
    draw.drawImage(mask.canvas, 0, 0);
    draw.globalCompositeOperation = 'destination-over';
    draw.globalAlpha = FAINT;
    if (surface.dataset.ground === 'photo') draw.drawImage(photo, 0, 0, width, height);
    draw.restore();
  }

  function redraw() {
    mask.draw.globalCompositeOperation = 'copy';
    mask.draw.drawImage(base, 0, 0);
    for (const made of steps.now) made.apply(mask.draw);
    drawButtons();
    show();
  }

  function drawButtons() {
    for (const [button, off] of [[undo, !steps.canUndo], [redo, !steps.canRedo], [done, !steps.now.length]]) {
      if (off && layer.shadowRoot.activeElement === button) tools[TOOLS.indexOf(tool)].focus(); // the focus would be lost with it
      button.disabled = off;
    }
  }

  const middle = () => {
    const all = [...fingers.values()];
    return { x: all.reduce((sum, one) => sum + one.x, 0) / all.length, y: all.reduce((sum, one) => sum + one.y, 0) / all.length };
  };
  const apart = () => {
    const [one, other] = fingers.values();
    return other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
  };

  /** @param {PointerEvent} event */
  function follow(event) {
    const { left, top } = surface.getBoundingClientRect();
    ring.style.translate = `${event.clientX - left - size.valueAsNumber / 2}px ${event.clientY - top - size.valueAsNumber / 2}px`;
    if (fingers.has(event.pointerId)) {
      const [from, before] = [middle(), apart()];
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (edit) return paint(event);
      const [to, after] = [middle(), apart()];
      place.x += to.x - from.x;
      place.y += to.y - from.y;
      if (before && after) zoom(after / before, to);
      else apply();
    }
  }

  /** @param {PointerEvent} event */
  function paint(event) {
    const { left, top } = view.canvas.getBoundingClientRect();
    const box = edit?.extend(mask.draw, [(event.clientX - left) * perPx(), (event.clientY - top) * perPx()]);
    if (box) show(...box);
  }

  /** One finger or button paints; two fingers, the middle button, or Space and a drag move the photo. @param {PointerEvent} event */
  function begin(event) {
    if (event.button > 1 || asking) return;
    event.preventDefault();
    surface.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size > 1 && edit) {
      edit = null;
      redraw();
    }
    if (fingers.size > 1 || event.button === 1 || place.space) return;
    edit = tool.begin({ radius: Math.max(1, Math.round((size.valueAsNumber * perPx()) / 2)) });
    follow(event);
    paint(event);
  }

  /** @param {PointerEvent} event */
  function end(event) {
    fingers.delete(event.pointerId);
    if (!edit) return;
    steps.add([...steps.now, edit]);
    edit = null;
    drawButtons();
  }

  async function finish() {
    done.disabled = true;
    const { canvas, draw } = canvasOf(width, height);
    draw.fillRect(0, 0, width, height);
    draw.drawImage(mask.canvas, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    try {
      await save(/** @type {Blob} */ (blob));
      close(null);
    } catch {
      done.disabled = false; // the notice says why
    }
  }

  const stay = (/** @type {BeforeUnloadEvent} */ event) => steps.now.length && event.preventDefault();
  const resized = new ResizeObserver(() => apply());
  /** @param {readonly MaskEdit[]|null} unsaved */
  function close(unsaved) {
    if (!layer.isConnected) return;
    removeEventListener('beforeunload', stay);
    removeEventListener('keyup', letGo);
    resized.disconnect();
    layer.remove();
    closed(unsaved);
  }

  /** The question is gone, and the focus where it was. */
  let goOn = () => {};

  /** Asks first where strokes would be lost; `then` once they may be. @param {() => void} [then] */
  function leave(then) {
    if (asking) return goOn();
    const n = steps.now.length;
    const gone = () => {
      close(null);
      then?.();
    };
    if (!n) return gone();
    const focused = layer.shadowRoot.activeElement ?? tools[0];
    goOn = () => {
      asking?.remove();
      bar.inert = false;
      asking = null;
      focused.focus();
    };
    const keep = el('button', { className: 'primary', onclick: goOn }, t('keepDrawing'));
    asking = el('div', { className: 'ask', role: 'alertdialog', 'aria-label': t('brushUnsaved', { n }) },
      el('p', {}, t('brushUnsaved', { n })), keep, el('button', { className: 'quiet', onclick: gone }, t('discard')));
    bar.inert = true;
    layer.shadowRoot.append(asking);
    keep.focus();
  }

  /** @param {KeyboardEvent} event */
  const letGo = ({ key }) => {
    if (key !== ' ') return;
    place.space = false;
    surface.toggleAttribute('data-moving', false);
  };
  const resize = (/** @type {number} */ by) => {
    size.valueAsNumber += by;
    setRing();
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    '[': () => resize(-8), ']': () => resize(8), '+': () => zoom(STEP), '=': () => zoom(STEP), '-': () => zoom(1 / STEP), 0: fit,
    ...Object.fromEntries(TOOLS.map((one) => [one.key, () => choose(one)])),
  };
  /** Whether the key means something here. @param {string} key @param {KeyboardEvent} event */
  function press(key, event) {
    if (key === 'Escape') leave();
    else if (asking) return false;
    else if (key === 'z') (event.shiftKey ? steps.redo : steps.undo)();
    else if (key === 'y' && event.ctrlKey) steps.redo();
    else if (event.ctrlKey || event.metaKey) return false;
    else if (keys[key]) keys[key]();
    else if (key === ' ') {
      if (isPressed(event) && !surface.matches(':hover')) return false;
      place.space = true;
      surface.toggleAttribute('data-moving', true);
    } else return grounds.press(key);
    return true;
  }

  surface.onpointerdown = begin;
  surface.onpointermove = follow;
  surface.onpointerup = surface.onpointercancel = end;
  surface.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    zoom(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  layer.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.altKey || !press(event.key.length === 1 ? event.key.toLowerCase() : event.key, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  addEventListener('keyup', letGo);
  addEventListener('beforeunload', stay);
  setRing();
  choose(tool);
  grounds.choose('photo');
  redraw();
  resized.observe(surface);
  apply();
  tools[0].focus();
  return { close: () => close(steps.now.length ? steps.now : null), leave, press };
}
