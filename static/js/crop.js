/**
 * The crop by hand: the photo moves, grows and turns behind a frame of the result's shape. Fetched when it is first asked for.
 *
 * @import { EditorOptions, Frame, Measures, Operation, Translate } from './core/types.js'
 */

import { el } from './core/dom.js';
import { drawGuides } from './editor/guides.js';
import { GROUNDS, canvasOf, createGrounds, createSteps, isPressed, loadPicture, opacityOf, openLayer, targetOf } from './editor/layer.js';
import { withEditorTexts } from './editor/texts.js';

const NUDGE = 0.01; // of the frame's width, for one press of an arrow
const ZOOM = 1.05;
const TURN = 0.5; // degrees
const LIMITS = { least: 16, most: 3 }; // px of the photo that a frame is wide; times the photo's longer side
const SHAPE = 35 / 45; // where the step says none
const PREVIEW = { width: 96, height: 80 }; // px of the screen at most
const LOOKS = `
.surface { container-type: size; display: grid; place-items: center; cursor: grab; }
.surface:active { cursor: grabbing; }
.crop-photo { pointer-events: none; }
.crop-hole { position: relative; aspect-ratio: var(--shape); width: min(86cqw, 86cqh * var(--shape)); border-radius: 2px; outline: 100vmax solid color-mix(in srgb, var(--surface-now) 62%, transparent); box-shadow: 0 0 0 1px #fff, 0 0 0 2px rgb(0 0 0 / 60%); pointer-events: none; }
.thirds::before, .thirds::after { content: ""; position: absolute; border: 0 solid rgb(255 255 255 / 55%); mix-blend-mode: difference; }
.thirds::before { inset: 33.33% 0; border-width: 1px 0; }
.thirds::after { inset: 0 33.33%; border-width: 0 1px; }
.guides { position: absolute; inset: 0; width: 100%; height: 100%; }
.guides * { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.5px; stroke: #fff; }
.guides .under { stroke: rgb(0 0 0 / 65%); stroke-width: 3.5px; }
.guides .limit { stroke-dasharray: 5 4; }
.guides .band { fill: rgb(77 154 181 / 18%); stroke: none; }
.crop-preview { display: block; flex: none; box-shadow: 0 0 0 1px var(--line-now); background: var(--ground); }
.sliders { flex: 1 1 300px; max-width: 460px; }
.sliders label { flex: 1 1 200px; }
@media (max-width: 860px) { .sliders { flex: 1 1 200px; } .sliders label { flex: 1 1 100%; } }
@media (max-height: 480px) { .crop-preview { display: none; } }
`;

/** @typedef {Omit<Frame, 'manual'>} Part */

/** Width by height of what the step makes. @param {Operation|undefined} step @param {Frame|null} frame @param {Measures|null} measures */
export function shapeOf(step, frame, measures) {
  if (frame) return frame.width / frame.height;
  if (measures) return measures.width / measures.height;
  const [across, down] = String(step?.aspect ?? '').split(':').map(Number);
  if (across && down) return across / down;
  return step?.width && step?.height ? step.width / step.height : SHAPE;
}

/** The largest frame of a shape in the middle of the photo. @param {{width: number, height: number}} size @param {number} shape @returns {Part} */
function middleOf({ width, height }, shape) {
  const wide = Math.min(width, height * shape);
  return { centre: [width / 2, height / 2], width: wide, height: wide / shape, angle: 0 };
}

/** The ground that the result will have, by the names of `GROUNDS`, with a colour for `own`. @param {Operation|undefined} step @param {Operation|undefined} removal @param {Measures|null} measures */
function groundOf(step, removal, measures) {
  const wanted = String((measures ? step?.background ?? measures.background : removal?.background) ?? 'transparent').toLowerCase();
  if (wanted === 'transparent') return { name: 'checker', own: GROUNDS.own };
  if (wanted === 'original' || wanted === 'blur' || wanted.startsWith('asset:') || wanted.startsWith('picture:')) return { name: 'photo', own: GROUNDS.own };
  const plain = { '#ffffff': 'white', '#fff': 'white', white: 'white', '#000000': 'black', '#000': 'black', black: 'black' }[wanted];
  return plain ? { name: plain, own: GROUNDS.own } : { name: 'own', own: wanted };
}

/**
 * Lays itself over `stage` until it is saved or given up.
 * @param {HTMLElement} stage
 * @param {EditorOptions & {size: {width: number, height: number}, frame: Frame|null, step: Operation|undefined, removal?: Operation,
 *   measures?: Measures|null, draft?: Part|null, next?: (() => void)|null, save: (frame: Part) => Promise<void>, closed: (draft: Part|null) => void}} options
 *   `size` in px of the photo; `draft`: what was framed before and not saved; `next`: goes on to the photo after it
 */
export async function openCrop(stage, { photo: src, mask, size, frame, step, removal, measures = null, draft = null, next = null, t: texts, save, closed }) {
  const t = withEditorTexts(texts);
  const [source, matte] = await Promise.all([loadPicture(src), mask ? loadPicture(mask).catch(() => null) : null]);
  const photo = canvasOf(source.naturalWidth, source.naturalHeight);
  photo.canvas.className = 'crop-photo';
  const opacity = matte && opacityOf(matte, source.naturalWidth, source.naturalHeight);
  const shape = shapeOf(step, frame, measures);
  /** @type {Part} */ const first = frame ? { centre: frame.centre, width: frame.width, height: frame.height, angle: frame.angle } : middleOf(size, shape);
  const limits = { least: LIMITS.least, most: LIMITS.most * Math.max(size.width, size.height) * Math.min(1, shape) };
  let part = first;
  /** @type {Map<number, {x: number, y: number}>} */ const fingers = new Map();
  const steps = createSteps(first, (to) => {
    part = to;
    draw();
  });
  if (draft) steps.add(part = draft);

  const zoom = el('input', { type: 'range', min: 0, max: 100, step: 0.5, 'aria-label': t('cropZoom'), oninput: () => set({ width: widthAt(zoom.valueAsNumber) }), onchange: () => commit() });
  const turn = el('input', { type: 'range', min: -45, max: 45, step: 0.1, 'aria-label': t('cropTurn'), oninput: () => set({ angle: around + turn.valueAsNumber }), onchange: () => commit() });
  const turned = el('output');
  const undo = el('button', { onclick: steps.undo, title: 'Z' }, t('undo'));
  const redo = el('button', { onclick: steps.redo, title: '⇧ Z' }, t('redoStep'));
  const done = el('button', { className: 'primary', onclick: () => finish() }, t('save'));
  const on = next && el('button', { onclick: () => finish(next) }, t('saveNext'));
  const cancel = el('button', { className: 'quiet', onclick: () => close(null) }, t('cancel'));
  const hole = el('div', { className: measures ? 'crop-hole' : 'crop-hole thirds', 'aria-hidden': 'true' }, measures && drawGuides(measures));
  const surface = el('div', { className: 'surface crop-surface', tabIndex: 0, role: 'group', 'aria-label': t('cropArea') }, photo.canvas, hole);
  const sample = previewOf(shape, t);
  const ground = groundOf(step, removal, measures);
  const grounds = opacity && createGrounds(surface, t, ground.own, (name) => {
    layer?.style.setProperty('--ground', surface.style.getPropertyValue('--ground'));
    paint(name);
    if (layer) draw();
  });
  const bar = el('div', { className: 'bar crop-bar', role: 'toolbar', 'aria-label': t('crop') }, sample.canvas,
    el('div', { className: 'sliders' }, el('label', {}, t('cropZoom'), zoom), el('label', {}, t('cropTurn'), turn, turned)),
    grounds && grounds.element, el('div', {}, undo, redo, cancel, on, done));
  const around = Math.round(first.angle / 90) * 90; // the slider turns by up to 45 degrees either way of it
  surface.style.setProperty('--shape', String(shape));
  /** @type {any} */ let layer = null;
  if (grounds) grounds.choose(ground.name);
  else paint('photo');
  layer = openLayer(stage, 'crop', LOOKS, surface, bar);
  layer.style.setProperty('--ground', surface.style.getPropertyValue('--ground'));

  /** The cutout, or the photo as it is. @param {string} name */
  function paint(name) {
    const { canvas, draw: on } = photo;
    on.globalCompositeOperation = 'copy';
    on.drawImage(source, 0, 0, canvas.width, canvas.height);
    on.globalCompositeOperation = 'destination-in';
    if (opacity && name !== 'photo') on.drawImage(opacity, 0, 0);
  }

  /** The slider goes from the widest frame to a thirtieth of it, by equal factors. @param {number} value */
  const widthAt = (value) => widest() * 30 ** (-value / 100);
  const widest = () => Math.min(limits.most, 1.5 * Math.max(size.width, size.height * shape));

  /** Px of the screen for one of the photo. */
  const scale = () => hole.getBoundingClientRect().width / part.width;

  /** @param {Partial<Part>} change */
  function set(change) {
    const wanted = { ...part, ...change };
    const width = Math.min(limits.most, Math.max(limits.least, wanted.width));
    part = {
      centre: [Math.min(size.width, Math.max(0, wanted.centre[0])), Math.min(size.height, Math.max(0, wanted.centre[1]))],
      width, height: width / shape, angle: Math.round(10 * wanted.angle) / 10,
    };
    draw();
  }

  /** What was set becomes a step that can be taken back. @param {string} [kind] */
  function commit(kind) {
    if (JSON.stringify(part) === JSON.stringify(steps.now)) return;
    steps.add(part, kind);
    drawButtons();
  }

  /** By px of the screen: the photo goes along, so the frame goes the other way. @param {number} x @param {number} y */
  function move(x, y) {
    const [cos, sin] = [Math.cos((part.angle * Math.PI) / 180), Math.sin((part.angle * Math.PI) / 180)];
    const by = scale();
    set({ centre: [part.centre[0] - (x * cos + y * sin) / by, part.centre[1] - (y * cos - x * sin) / by] });
  }

  function draw() {
    const room = surface.getBoundingClientRect();
    const at = hole.getBoundingClientRect();
    const by = scale();
    const shown = (by * size.width) / photo.canvas.width;
    photo.canvas.style.transform = `translate(${at.left - room.left + at.width / 2}px, ${at.top - room.top + at.height / 2}px) rotate(${part.angle}deg)`
      + ` translate(${-part.centre[0] * by}px, ${-part.centre[1] * by}px) scale(${shown})`;
    zoom.value = String((100 * Math.log(widest() / part.width)) / Math.log(30));
    turn.value = String(part.angle - around);
    turned.textContent = t('cropTurned', { n: Math.round(10 * part.angle) / 10 });
    sample.show(photo.canvas, part, size);
    drawButtons();
  }

  function drawButtons() {
    const same = JSON.stringify(part) === JSON.stringify(first);
    for (const [button, off] of /** @type {[any, boolean][]} */ ([[undo, !steps.canUndo], [redo, !steps.canRedo], [done, same && frame !== null], [on, same && frame !== null]])) {
      if (!button || button.disabled === off) continue;
      if (off && layer.shadowRoot.activeElement === button) surface.focus(); // the focus would be lost with it
      button.disabled = off;
    }
  }

  const spread = () => {
    const [one, other] = fingers.values();
    return other ? { apart: Math.hypot(one.x - other.x, one.y - other.y), lean: (Math.atan2(other.y - one.y, other.x - one.x) * 180) / Math.PI } : null;
  };
  const middle = () => {
    const all = [...fingers.values()];
    return { x: all.reduce((sum, { x }) => sum + x, 0) / all.length, y: all.reduce((sum, { y }) => sum + y, 0) / all.length };
  };

  surface.onpointerdown = (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  surface.onpointermove = (/** @type {PointerEvent} */ event) => {
    if (!fingers.has(event.pointerId)) return;
    const [from, before] = [middle(), spread()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const [to, after] = [middle(), spread()];
    move(to.x - from.x, to.y - from.y);
    if (before && after) set({ width: (part.width * before.apart) / after.apart, angle: part.angle + after.lean - before.lean });
  };
  surface.onpointerup = surface.onpointercancel = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) commit();
  };
  surface.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    set({ width: part.width * Math.exp(event.deltaY / 800) });
    commit('wheel');
  }, { passive: false });

  /** @param {(() => void)|null} [then] */
  async function finish(then = null) {
    commit();
    done.disabled = true;
    try {
      await save({ ...part, centre: [round(part.centre[0]), round(part.centre[1])], width: round(part.width), height: round(part.height) });
      close(null);
      then?.();
    } catch {
      done.disabled = false; // the notice says why
    }
  }

  const resized = new ResizeObserver(() => draw());
  /** @param {Part|null} unsaved */
  function close(unsaved) {
    if (!layer.isConnected) return;
    resized.disconnect();
    layer.remove();
    closed(unsaved);
  }

  const changed = () => JSON.stringify(part) !== JSON.stringify(first);
  const change = (/** @type {Partial<Part>} */ by, kind = '') => {
    set(by);
    commit(kind);
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    '+': () => change({ width: part.width / ZOOM }), '=': () => change({ width: part.width / ZOOM }), '-': () => change({ width: part.width * ZOOM }),
    '[': () => change({ angle: part.angle - TURN }), ']': () => change({ angle: part.angle + TURN }), 0: () => change(first),
  };
  /** Whether the key means something here. @param {string} key @param {KeyboardEvent} event */
  function press(key, event) {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (key === 'Escape') api.leave();
    else if (key === 'z') (event.shiftKey ? steps.redo : steps.undo)();
    else if (key === 'y' && event.ctrlKey) steps.redo();
    else if (event.ctrlKey || event.metaKey) return false;
    else if (keys[key]) keys[key]();
    else if (arrow && targetOf(event) === surface) {
      const by = hole.getBoundingClientRect().width * NUDGE * (event.shiftKey ? 5 : 1);
      move(arrow[0] * by, arrow[1] * by);
      commit('arrow');
    } else if (key === ' ') return !isPressed(event);
    else return Boolean(grounds?.press(key));
    return true;
  }
  layer.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.altKey || !press(event.key.length === 1 ? event.key.toLowerCase() : event.key, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  const api = {
    /** At once; what was framed is kept for the next time. */
    close: () => close(changed() ? part : null),
    /** As a person leaves it; then `then`. @param {() => void} [then] */
    leave(then) {
      api.close();
      then?.();
    },
    press,
  };

  resized.observe(surface);
  draw();
  surface.focus();
  return api;
}

/** What comes out, small. @param {number} shape @param {Translate} t */
function previewOf(shape, t) {
  const width = Math.min(PREVIEW.width, PREVIEW.height * shape);
  const { canvas, draw } = canvasOf(Math.round(2 * width), Math.round((2 * width) / shape));
  canvas.className = 'crop-preview';
  canvas.style.width = `${width}px`;
  canvas.style.height = `${width / shape}px`;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', t('cropPreview'));
  return {
    canvas,
    /** @param {HTMLCanvasElement} photo @param {Part} part @param {{width: number}} size */
    show(photo, part, size) {
      draw.setTransform(1, 0, 0, 1, 0, 0);
      draw.clearRect(0, 0, canvas.width, canvas.height);
      draw.translate(canvas.width / 2, canvas.height / 2);
      draw.rotate((part.angle * Math.PI) / 180);
      draw.scale(canvas.width / part.width, canvas.width / part.width);
      draw.translate(-part.centre[0], -part.centre[1]);
      draw.scale(size.width / photo.width, size.width / photo.width);
      draw.drawImage(photo, 0, 0);
    },
  };
}

/** @param {number} px */
const round = (px) => Math.round(10 * px) / 10;
