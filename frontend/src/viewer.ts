/** One photo large: before and after with a slider, the ground behind it, a brush. For component and element alike; fetched when it is first asked for. */

import { canRetry, reasonsOf } from '../../static/js/core/store.js';
import { fileText } from '../../static/js/core/words.js';
import type { FileView, Translate } from '../../static/js/core/types.js';
import type { PhotoJob } from './job.js';

export type ViewerPart =
  | 'viewer' | 'viewer-head' | 'viewer-name' | 'viewer-step' | 'viewer-close' | 'viewer-stage' | 'viewer-frame' | 'before' | 'after'
  | 'behind' | 'slider' | 'viewer-side' | 'backdrops' | 'backdrop' | 'viewer-status' | 'viewer-reason' | 'viewer-actions' | 'viewer-action';

export interface ViewerOptions {
  job: PhotoJob;
  t: Translate;
  /** Of the photo to begin with. */
  key: string;
  /** The photos that can be gone through. */
  shown: () => readonly FileView[];
  classOf: (part: ViewerPart) => string | undefined;
  closed?: () => void;
}

export interface Viewer {
  close: () => void;
}

const PREVIEW_PX = 1600;
const BACKDROPS = ['checker', 'white', 'black', 'blur'] as const;

export function openViewer(host: HTMLElement, { job, t, key, shown, classOf, closed }: ViewerOptions): Viewer {
  let current = key;
  let drawn: FileView | undefined;
  let brush: { close: () => void } | null = null;
  const opener = document.activeElement as HTMLElement | null;

  function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: ViewerPart, properties: object = {}, ...children: (Node | string)[]) {
    const element = Object.assign(document.createElement(tag), properties);
    const names = classOf(name);
    if (names) element.className = names;
    element.dataset.ppPart = name;
    element.append(...children);
    return element;
  }
  const button = (name: ViewerPart, label: string, text: string, onclick: () => void) => part('button', name, { type: 'button', ariaLabel: label, title: label, onclick }, text);

  const title = part('h2', 'viewer-name');
  const previous = button('viewer-step', t('previous'), '‹', () => step(-1));
  const next = button('viewer-step', t('next'), '›', () => step(1));
  const head = part('header', 'viewer-head', {}, title, previous, next, button('viewer-close', t('close'), '×', () => dialog.close()));
  const behind = part('span', 'behind');
  const after = part('img', 'after', { alt: t('after'), crossOrigin: 'anonymous' });
  const before = part('img', 'before', { alt: t('before'), crossOrigin: 'anonymous' });
  const slider = part('input', 'slider', { type: 'range', min: '0', max: '100', value: '50', ariaLabel: t('compare'), oninput: slide });
  const frame = part('figure', 'viewer-frame', {}, behind, after, before, slider);
  const stage = part('div', 'viewer-stage', {}, frame);
  const status = part('p', 'viewer-status', { role: 'status' });
  const reason = part('p', 'viewer-reason');
  const actions = part('div', 'viewer-actions');
  const side = part('div', 'viewer-side', {}, backdrops(), status, reason, actions);
  const dialog = part('dialog', 'viewer', { onclose: end, oncancel: (event: Event) => {
    if (!brush) return;
    event.preventDefault();
    brush.close();
  }, onkeydown: press }, head, stage, side);
  dialog.setAttribute('aria-label', t('compare'));

  function backdrops() {
    const group = `pp-backdrop-${Math.random().toString(36).slice(2)}`;
    const choose = (name: string, colour = '') => {
      stage.dataset.ppBackdrop = name;
      stage.style.setProperty('--pp-backdrop', colour);
    };
    const swatch = (name: string, label: string, checked: boolean) => {
      const radio = Object.assign(document.createElement('input'), { type: 'radio', name: group, value: name, checked, onchange: () => choose(name, name === 'own' ? picker.value : '') });
      radio.setAttribute('aria-label', label);
      const element = part('label', 'backdrop', { title: label }, radio);
      element.dataset.ppColour = name;
      return element;
    };
    const picker = Object.assign(document.createElement('input'), { type: 'color', value: '#3f6f9f', oninput: () => {
      (own.firstElementChild as HTMLInputElement).checked = true;
      choose('own', picker.value);
    } });
    picker.setAttribute('aria-label', `${t('background')}: ${t('ownColour')}`);
    const own = swatch('own', t('ownColour'), false);
    const legend = document.createElement('legend');
    legend.textContent = t('background');
    choose('checker');
    return part('fieldset', 'backdrops', {}, legend, ...BACKDROPS.map((name, index) => swatch(name, t(name), index === 0)), own, picker);
  }

  const file = () => job.get().files.get(current);

  function slide() {
    frame.style.setProperty('--pp-at', `${slider.value}%`);
    before.style.clipPath = stage.dataset.ppMode === 'slider' ? `inset(0 ${100 - slider.valueAsNumber}% 0 0)` : '';
    slider.setAttribute('aria-valuetext', t('compareValue', { n: slider.valueAsNumber }));
  }

  async function show(image: HTMLImageElement, url: string | null) {
    image.hidden = !url;
    if (!url) return false;
    image.src = await job.fetchPicture(url);
    return image.decode().then(() => true, () => false);
  }

  async function load(now: FileView) {
    const { url } = job.client;
    const id = job.get().job?.id ?? '';
    const done = now.status === 'completed';
    const [hasBefore, hasAfter] = await Promise.all([
      show(before, now.id && url.thumbnail(id, now.id, { of: 'source', size: PREVIEW_PX })).catch(() => false),
      show(after, now.id && done ? url.thumbnail(id, now.id, { size: PREVIEW_PX, v: now.revision }) : null).catch(() => false),
    ]);
    if (file()?.id !== now.id) return;
    const skew = (before.naturalWidth * after.naturalHeight) / (before.naturalHeight * after.naturalWidth);
    const both = hasBefore && hasAfter;
    stage.dataset.ppMode = both ? (Math.abs(skew - 1) < 0.02 ? 'slider' : 'pair') : hasAfter ? 'after' : hasBefore ? 'before' : 'none';
    const main = hasAfter ? after : before;
    frame.style.setProperty('--pp-ratio', String(main.naturalWidth / main.naturalHeight || 1));
    behind.style.backgroundImage = stage.dataset.ppMode === 'slider' ? `url("${before.src}")` : '';
    slide();
  }

  function draw() {
    const now = file();
    if (!now) return dialog.close();
    if (now === drawn) return;
    const again = drawn?.id !== now.id || drawn.status !== now.status || drawn.revision !== now.revision;
    drawn = now;
    title.textContent = now.name;
    status.textContent = fileText(now, job.get().model, t);
    reason.textContent = reasonsOf(now).join(' ');
    reason.hidden = !reason.textContent;
    if (again) {
      actions.replaceChildren(...drawActions(now));
      load(now);
    }
    const files = shown().filter(({ id }) => id);
    const at = files.findIndex((one) => one.key === current);
    previous.disabled = at <= 0;
    next.disabled = at < 0 || at >= files.length - 1;
  }

  function drawActions(now: FileView) {
    const made: HTMLElement[] = [];
    if (!now.id) return made;
    const url = `${job.client.url.result(job.get().job?.id ?? '', now.id)}?download=1`;
    if (now.status === 'completed') {
      made.push(part('a', 'viewer-action', { href: url, download: '', onclick: (event: Event) => {
        if (!job.client.keyed) return;
        event.preventDefault();
        job.save(url);
      } }, t('downloadResult')));
      const paints = job.get().job?.recipe.operations.some(({ op }) => op === 'remove_background' || op === 'id_photo');
      if (paints) made.push(part('button', 'viewer-action', { type: 'button', onclick: paint }, t('brush')));
    }
    if (canRetry(now)) made.push(part('button', 'viewer-action', { type: 'button', ariaLabel: t('retryNamed', { name: now.name }), onclick: () => job.retry(now) }, t('retry')));
    return made;
  }

  async function paint() {
    const now = file();
    if (!now?.id || brush) return;
    const id = job.get().job?.id ?? '';
    const { openBrush } = await import('../../static/js/brush.js');
    const [photo, mask] = await Promise.all([
      job.fetchPicture(job.client.url.thumbnail(id, now.id, { of: 'source', size: PREVIEW_PX })),
      job.client.bytes(job.client.url.mask(id, now.id)).then((blob) => URL.createObjectURL(blob)),
    ]);
    stage.dataset.ppPainting = '';
    brush = await openBrush(stage, { photo, mask, t, save: (drawnMask) => job.setMask(now, drawnMask), closed: () => {
      brush = null;
      URL.revokeObjectURL(mask);
      delete stage.dataset.ppPainting;
    } });
  }

  function step(by: number) {
    const files = shown().filter(({ id }) => id);
    const to = files[files.findIndex((one) => one.key === current) + by];
    if (!to) return;
    brush?.close();
    current = to.key;
    draw();
  }

  function press(event: KeyboardEvent) {
    const by = { j: 1, k: -1 }[event.key];
    if (by && !brush && !event.ctrlKey && !event.metaKey) step(by);
  }

  function end() {
    unsubscribe();
    brush?.close();
    dialog.remove();
    opener?.focus();
    closed?.();
  }

  const unsubscribe = job.subscribe(draw);
  host.append(dialog);
  dialog.showModal();
  draw();
  return { close: () => dialog.open && dialog.close() };
}
