/**
 * The crop by hand: the photo moves, grows and turns behind a frame of the result's shape. Fetched when it is first asked for.
 *
 * @import { Frame, Operation, Translate } from './core/types.js'
 */

import { el } from './core/dom.js';

const NUDGE = 0.01; // of the frame's width, for one press of an arrow
const ZOOM = 1.05;
const TURN = 0.5; // degrees
const LIMITS = { least: 16, most: 3 }; // px of the photo that a frame is wide; times the photo's longer side
const SHAPE = 35 / 45; // where the step says none

/** @typedef {Omit<Frame, 'manual'>} Part */

/** Width by height of what the step makes. @param {Operation|undefined} step @param {Frame|null} frame */
function shapeOf(step, frame) {
  if (frame) return frame.width / frame.height;
  const [across, down] = String(step?.aspect ?? '').split(':').map(Number);
  if (across && down) return across / down;
  return step?.width && step?.height ? step.width / step.height : SHAPE;
}

/** The largest frame of a shape in the middle of the photo. @param {{width: number, height: number}} size @param {number} shape @returns {Part} */
function middleOf({ width, height }, shape) {
  const wide = Math.min(width, height * shape);
  return { centre: [width / 2, height / 2], width: wide, height: wide / shape, angle: 0 };
}

/**
 * Lays itself over `stage` until it is saved or given up.
 * @param {HTMLElement} stage
 * @param {{photo: string, size: {width: number, height: number}, frame: Frame|null, step: Operation|undefined, t: Translate,
 *   save: (frame: Part) => Promise<void>, closed: () => void}} options  `size` in px of the photo
 */
export async function openCrop(stage, { photo: src, size, frame, step, t, save, closed }) {
  const crossOrigin = new URL(src, location.href).origin === location.origin ? null : 'anonymous';
  const photo = el('img', { className: 'crop-photo', alt: '', draggable: false, crossOrigin, src });
  await photo.decode();
  const shape = shapeOf(step, frame);
  const first = frame ? { centre: frame.centre, width: frame.width, height: frame.height, angle: frame.angle } : middleOf(size, shape);
  const limits = { least: LIMITS.least, most: LIMITS.most * Math.max(size.width, size.height) * Math.min(1, shape) };
  /** @type {Part} */ let part = first;
  /** @type {Map<number, {x: number, y: number}>} */ const fingers = new Map();

  const zoom = el('input', { type: 'range', min: 0, max: 100, step: 0.5, 'aria-label': t('cropZoom'), oninput: () => set({ width: widthAt(zoom.valueAsNumber) }) });
  const turn = el('input', { type: 'range', min: -45, max: 45, step: 0.1, 'aria-label': t('cropTurn'), oninput: () => set({ angle: around + turn.valueAsNumber }) });
  const turned = el('output', { className: 'small' });
  const undo = el('button', { className: 'button', onclick: () => set(first) }, t('undo'));
  const done = el('button', { className: 'primary', onclick: finish }, t('save'));
  const cancel = el('button', { className: 'quiet', onclick: close }, t('cancel'));
  const hole = el('div', { className: 'crop-hole', 'aria-hidden': 'true' });
  const surface = el('div', { className: 'crop-surface', tabIndex: 0, role: 'group', 'aria-label': t('cropArea') }, photo, hole);
  const bar = el('div', { className: 'crop-bar', role: 'toolbar', 'aria-label': t('crop') },
    el('label', { className: 'small' }, t('cropZoom'), zoom), el('label', { className: 'small' }, t('cropTurn'), turn, turned), undo, cancel, done);
  const layer = el('div', { className: 'crop' }, surface, bar);
  const around = Math.round(first.angle / 90) * 90; // the slider turns by up to 45 degrees either way of it
  surface.style.setProperty('--shape', String(shape));

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
    const shown = (by * size.width) / photo.naturalWidth;
    photo.style.transform = `translate(${at.left - room.left + at.width / 2}px, ${at.top - room.top + at.height / 2}px) rotate(${part.angle}deg)`
      + ` translate(${-part.centre[0] * by}px, ${-part.centre[1] * by}px) scale(${shown})`;
    zoom.value = String((100 * Math.log(widest() / part.width)) / Math.log(30));
    turn.value = String(part.angle - around);
    turned.textContent = t('cropTurned', { n: Math.round(10 * part.angle) / 10 });
    undo.disabled = JSON.stringify(part) === JSON.stringify(first);
    done.disabled = undo.disabled && frame !== null;
  }

  const spread = () => {
    const [one, other] = fingers.values();
    return other ? { apart: Math.hypot(one.x - other.x, one.y - other.y), lean: (Math.atan2(other.y - one.y, other.x - one.x) * 180) / Math.PI } : null;
  };
  const middle = () => {
    const all = [...fingers.values()];
    return { x: all.reduce((sum, { x }) => sum + x, 0) / all.length, y: all.reduce((sum, { y }) => sum + y, 0) / all.length };
  };

  surface.onpointerdown = (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  surface.onpointermove = (event) => {
    if (!fingers.has(event.pointerId)) return;
    const [from, before] = [middle(), spread()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const [to, after] = [middle(), spread()];
    move(to.x - from.x, to.y - from.y);
    if (before && after) set({ width: (part.width * before.apart) / after.apart, angle: part.angle + after.lean - before.lean });
  };
  surface.onpointerup = surface.onpointercancel = (event) => fingers.delete(event.pointerId);
  surface.onwheel = (event) => {
    event.preventDefault();
    event.stopPropagation();
    set({ width: part.width * Math.exp(event.deltaY / 800) });
  };
  surface.onkeydown = (event) => {
    const by = hole.getBoundingClientRect().width * NUDGE * (event.shiftKey ? 5 : 1);
    const arrow = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    if (!arrow) return;
    event.preventDefault();
    move(arrow[0], arrow[1]);
  };

  async function finish() {
    done.disabled = true;
    try {
      await save({ ...part, centre: [round(part.centre[0]), round(part.centre[1])], width: round(part.width), height: round(part.height) });
      close();
    } catch {
      done.disabled = false; // the notice says why
    }
  }

  const resized = new ResizeObserver(() => draw());
  function close() {
    resized.disconnect();
    layer.remove();
    closed();
  }

  stage.append(layer);
  resized.observe(surface);
  draw();
  surface.focus();

  /** @type {Record<string, () => void>} */
  const keys = {
    '+': () => set({ width: part.width / ZOOM }), '-': () => set({ width: part.width * ZOOM }),
    '[': () => set({ angle: part.angle - TURN }), ']': () => set({ angle: part.angle + TURN }), 0: () => set(first), z: () => set(first),
  };
  return {
    close,
    /** Whether the key means something here. @param {string} key */
    press(key) {
      keys[key]?.();
      return key in keys;
    },
  };
}

/** @param {number} px */
const round = (px) => Math.round(10 * px) / 10;
