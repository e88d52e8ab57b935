/**
 * The mask by hand: what was cut away is taken back, what was left is wiped out. Fetched when it is first asked for.
 *
 * The mask is a canvas of the photo's own size whose opacity says what is kept; strokes are stamps of a soft disc.
 *
 * @import { Translate } from './core/types.js'
 */

import { el } from './core/dom.js';

const MOST_PX = 16_000_000; // of a canvas on a phone
const SIZES = { min: 4, max: 200, value: 40 }; // px of the screen
const SOFT = 0.7; // of the disc's radius is fully opaque
const FAINT = 0.3; // how much is seen of what is cut away

/** @typedef {{keep: boolean, radius: number, points: Array<[number, number]>}} Stroke */

/** @param {string} src @returns {Promise<HTMLImageElement>} */
async function loaded(src) {
  const image = new Image();
  if (new URL(src, location.href).origin !== location.origin) image.crossOrigin = 'anonymous'; // else its canvas cannot be read
  image.src = src;
  await image.decode();
  return image;
}

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  const canvas = el('canvas', { width, height });
  return { canvas, draw: /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')) };
}

/** White, opaque where the mask is bright. @param {HTMLImageElement} mask @param {number} width @param {number} height */
function opacityOf(mask, width, height) {
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

/** @param {number} radius */
function discOf(radius) {
  const { canvas, draw } = canvasOf(2 * radius, 2 * radius);
  const shade = draw.createRadialGradient(radius, radius, SOFT * radius, radius, radius, radius);
  shade.addColorStop(0, '#fff');
  shade.addColorStop(1, '#fff0');
  draw.fillStyle = shade;
  draw.fillRect(0, 0, 2 * radius, 2 * radius);
  return canvas;
}

/**
 * Lays itself over `stage` until it is saved or given up.
 * @param {HTMLElement} stage
 * @param {{photo: string, mask: string, t: Translate, save: (mask: Blob) => Promise<void>, closed: () => void}} options
 */
export async function openBrush(stage, { photo: photoSrc, mask: maskSrc, t, save, closed }) {
  const [photo, first] = await Promise.all([loaded(photoSrc), loaded(maskSrc)]);
  const shrink = Math.min(1, Math.sqrt(MOST_PX / (first.naturalWidth * first.naturalHeight)));
  const width = Math.round(first.naturalWidth * shrink);
  const height = Math.round(first.naturalHeight * shrink);
  const base = opacityOf(first, width, height);
  const mask = canvasOf(width, height);
  const view = canvasOf(width, height);
  /** @type {Stroke[]} */ let strokes = [];
  /** @type {Stroke|null} */ let stroke = null;

  const ring = el('span', { className: 'brush-ring' });
  const size = el('input', { type: 'range', ...SIZES, 'aria-label': t('brushSize'), oninput: () => setRing() });
  const tools = [button('brushRestore', true), button('brushErase', false)];
  const undo = el('button', { className: 'button', onclick: takeBack }, t('undo'));
  const done = el('button', { className: 'primary', onclick: finish }, t('save'));
  const cancel = el('button', { className: 'quiet', onclick: close }, t('cancel'));
  const bar = el('div', { className: 'brush-bar', role: 'toolbar', 'aria-label': t('brush') },
    ...tools, el('label', { className: 'small' }, t('brushSize'), size), undo, cancel, done);
  const surface = el('div', { className: 'brush-surface' }, view.canvas, ring);
  surface.style.setProperty('--ratio', String(width / height));
  const layer = el('div', { className: 'brush' }, surface, bar);

  function button(name, keep) {
    return el('button', { className: 'button', 'aria-pressed': String(keep), onclick: () => choose(keep) }, t(name));
  }

  function choose(keep) {
    tools[0].setAttribute('aria-pressed', String(keep));
    tools[1].setAttribute('aria-pressed', String(!keep));
  }

  /** Px of the mask for one of the screen. */
  const scale = () => width / view.canvas.getBoundingClientRect().width;

  function setRing() {
    ring.style.width = ring.style.height = `${size.value}px`;
  }

  /** @param {Stroke} drawn @param {number} from index of the first point that is new */
  function stamp({ keep, radius, points }, from) {
    const disc = discOf(radius);
    mask.draw.globalCompositeOperation = keep ? 'source-over' : 'destination-out';
    for (let at = Math.max(from, 0); at < points.length; at++) {
      const [x, y] = points[at];
      const [fromX, fromY] = points[Math.max(at - 1, 0)];
      const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / (radius / 2)));
      for (let step = 1; step <= steps; step++) {
        mask.draw.drawImage(disc, fromX + ((x - fromX) * step) / steps - radius, fromY + ((y - fromY) * step) / steps - radius);
      }
    }
  }

  /** The photo, faint where it is cut away; all of it, or the part between two corners. */
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
    draw.drawImage(photo, 0, 0, width, height);
    draw.restore();
  }

  function redraw() {
    mask.draw.globalCompositeOperation = 'copy';
    mask.draw.drawImage(base, 0, 0);
    for (const drawn of strokes) stamp(drawn, 0);
    undo.disabled = !strokes.length;
    done.disabled = !strokes.length;
    show();
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  function pointOf(event) {
    const { left, top } = view.canvas.getBoundingClientRect();
    return [(event.clientX - left) * scale(), (event.clientY - top) * scale()];
  }

  /** @param {PointerEvent} event */
  function follow(event) {
    const { left, top } = surface.getBoundingClientRect();
    ring.style.translate = `${event.clientX - left - size.valueAsNumber / 2}px ${event.clientY - top - size.valueAsNumber / 2}px`;
    if (!stroke) return;
    const point = pointOf(event);
    const last = stroke.points.at(-1) ?? point;
    stroke.points.push(point);
    stamp(stroke, stroke.points.length - 1);
    const reach = stroke.radius + 2;
    show(Math.min(last[0], point[0]) - reach, Math.min(last[1], point[1]) - reach, Math.max(last[0], point[0]) + reach, Math.max(last[1], point[1]) + reach);
  }

  /** @param {PointerEvent} event */
  function begin(event) {
    if (event.button) return;
    event.preventDefault();
    view.canvas.setPointerCapture(event.pointerId);
    const keep = tools[0].getAttribute('aria-pressed') === 'true';
    stroke = { keep, radius: Math.max(1, Math.round((size.valueAsNumber * scale()) / 2)), points: [] };
    follow(event);
  }

  function end() {
    if (!stroke) return;
    strokes = [...strokes, stroke];
    stroke = null;
    undo.disabled = done.disabled = false;
  }

  function takeBack() {
    strokes = strokes.slice(0, -1);
    redraw();
  }

  async function finish() {
    done.disabled = true;
    const { canvas, draw } = canvasOf(width, height);
    draw.fillRect(0, 0, width, height);
    draw.drawImage(mask.canvas, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    try {
      await save(/** @type {Blob} */ (blob));
      close();
    } catch {
      done.disabled = false; // the notice says why
    }
  }

  function close() {
    layer.remove();
    closed();
  }

  view.canvas.onpointerdown = begin;
  view.canvas.onpointermove = follow;
  view.canvas.onpointerup = view.canvas.onpointercancel = end;
  stage.append(layer);
  setRing();
  redraw();
  tools[0].focus();

  /** @type {Record<string, () => void>} */
  const keys = {
    e: () => choose(false), r: () => choose(true), z: () => strokes.length && takeBack(),
    '[': () => resize(-8), ']': () => resize(8),
  };
  function resize(by) {
    size.valueAsNumber += by;
    setRing();
  }

  return {
    close,
    /** Whether the key means something here. @param {string} key */
    press(key) {
      keys[key]?.();
      return key in keys;
    },
  };
}
