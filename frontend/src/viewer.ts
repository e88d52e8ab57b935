/** One photo large: before and after with a slider, the ground behind it, crop and mask by hand, another model. For component and element alike; fetched when it is first asked for. */

import { openBrush } from '../../static/js/brush.js';
import { openCrop } from '../../static/js/crop.js';
import { setText } from '../../static/js/core/dom.js';
import { modelSelect } from '../../static/js/core/picker.js';
import { canRetry, cropStep, hasResult, mayTryOther, reasonsOf, usesModel } from '../../static/js/core/store.js';
import { fileText } from '../../static/js/core/words.js';
import type { FileView, Format, Model, Translate } from '../../static/js/core/types.js';
import type { PhotoJob } from './job.js';
import { makersOf } from './make.js';
import type { ClassOf } from './make.js';

export type ViewerPart =
  | 'viewer' | 'viewer-head' | 'viewer-name' | 'viewer-step' | 'viewer-close' | 'viewer-stage' | 'viewer-frame' | 'before' | 'after'
  | 'behind' | 'slider' | 'viewer-side' | 'backdrops' | 'backdrop' | 'viewer-status' | 'viewer-reason' | 'viewer-actions' | 'viewer-action';

export interface ViewerOptions {
  job: PhotoJob;
  t: Translate;
  format: Format;
  /** Of the photo to begin with. */
  key: string;
  /** The photos that can be gone through. */
  shown: () => readonly FileView[];
  classOf: ClassOf;
  /** Begins at the choice of another model. */
  other?: boolean;
}

export interface Viewer {
  close: () => void;
}

/** What lies over the photo: the crop, or the brush. */
interface Layer {
  close: () => void;
  press: (key: string) => boolean;
}

const PREVIEW_PX = 1600;
const BACKDROPS = ['checker', 'white', 'black', 'blur'] as const;

export function openViewer(host: HTMLElement, { job, t, format, key, shown, classOf, other }: ViewerOptions): Viewer {
  const { part, formEl: el } = makersOf(classOf);
  const { url } = job.client;
  let current = key;
  let drawn: FileView | undefined;
  let drawnActions = '';
  let layer: Layer | null = null;
  let models: Model[] = [];
  const opener = document.activeElement as HTMLElement | null;

  const button = (name: ViewerPart, label: string, text: string, onclick: () => void) => part('button', name, { title: label, 'aria-label': label, onclick }, text);

  const title = part('h2', 'viewer-name');
  const previous = button('viewer-step', t('previous'), '‹', () => step(-1));
  const next = button('viewer-step', t('next'), '›', () => step(1));
  const head = part('header', 'viewer-head', {}, title, previous, next, button('viewer-close', t('close'), '×', () => dialog.close()));
  const behind = part('span', 'behind');
  const after = part('img', 'after', { alt: t('after'), crossOrigin: 'anonymous' });
  const before = part('img', 'before', { alt: t('before'), crossOrigin: 'anonymous' });
  const slider = part('input', 'slider', { type: 'range', min: 0, max: 100, value: 50, 'aria-label': t('compare'), oninput: slide });
  const frame = part('figure', 'viewer-frame', {}, behind, after, before, slider);
  const stage = part('div', 'viewer-stage', {}, frame);
  const status = part('p', 'viewer-status', { role: 'status' });
  const reason = part('p', 'viewer-reason');
  const fault = part('p', 'fault', { role: 'alert', hidden: true });
  const actions = part('div', 'viewer-actions');
  const side = part('div', 'viewer-side', {}, backdrops(), status, reason, fault, actions);
  const dialog = part('dialog', 'viewer', { 'aria-label': t('compare'), tabIndex: -1, onclose: end, onkeydown: press, oncancel: (event: Event) => {
    if (!layer) return;
    event.preventDefault();
    layer.close();
  } }, head, stage, side);

  function backdrops() {
    const group = `pp-backdrop-${Math.random().toString(36).slice(2)}`;
    const choose = (name: string, colour = '') => {
      stage.dataset.ppBackdrop = name;
      stage.style.setProperty('--pp-backdrop', colour);
    };
    const swatch = (name: string, label: string, checked: boolean) => part('label', 'backdrop', { title: label, 'data-pp-colour': name }, el('input', {
      type: 'radio', name: group, value: name, checked, 'aria-label': label, onchange: () => choose(name, name === 'own' ? picker.value : ''),
    }));
    const picker = el('input', { type: 'color', value: '#3f6f9f', 'aria-label': `${t('background')}: ${t('ownColour')}`, oninput: () => {
      own.firstElementChild.checked = true;
      choose('own', picker.value);
    } });
    const own = swatch('own', t('ownColour'), false);
    choose('checker');
    return part('fieldset', 'backdrops', {}, el('legend', {}, t('background')), ...BACKDROPS.map((name, index) => swatch(name, t(name), index === 0)), own, picker);
  }

  const file = () => job.get().files.get(current);
  const jobId = () => job.get().job?.id ?? '';

  function slide() {
    frame.style.setProperty('--pp-at', `${slider.value}%`);
    before.style.clipPath = stage.dataset.ppMode === 'slider' ? `inset(0 ${100 - slider.valueAsNumber}% 0 0)` : '';
    slider.setAttribute('aria-valuetext', t('compareValue', { n: slider.valueAsNumber }));
  }

  async function show(image: HTMLImageElement, address: string | false | null) {
    image.hidden = !address;
    if (!address) return false;
    image.src = await job.fetchPicture(address);
    return image.decode().then(() => true, () => false);
  }

  const original = (id: string) => url.thumbnail(jobId(), id, { of: 'source', size: PREVIEW_PX });

  async function load(now: FileView) {
    const { id, revision: v } = now;
    const [hasBefore, hasAfter] = await Promise.all([
      show(before, id && original(id)).catch(() => false),
      show(after, id && hasResult(now) && url.thumbnail(jobId(), id, { size: PREVIEW_PX, v: v || undefined })).catch(() => false),
    ]);
    if (file()?.id !== id) return;
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
    setText(title, now.name);
    setText(status, fileText(now, job.get().model, t));
    setText(reason, reasonsOf(now).join(' '));
    reason.hidden = !reason.textContent;
    if (again) {
      fault.hidden = true;
      load(now);
      if (now.id) job.detail(now).catch(() => {});
    }
    drawActions(now);
    const files = shown().filter(({ id }) => id);
    const at = files.findIndex((one) => one.key === current);
    previous.disabled = at <= 0;
    next.disabled = at < 0 || at >= files.length - 1;
  }

  /** Only where they are others: what has the focus keeps it. */
  function drawActions(now: FileView) {
    const wanted = [now.id, now.status, now.revision, now.review?.length, now.crop?.manual, now.engine?.model, canRetry(now), now.can_undo, models.length].join();
    if (wanted === drawnActions) return;
    drawnActions = wanted;
    const focused = actions.contains(document.activeElement) && (document.activeElement as HTMLElement).dataset.ppAct;
    actions.replaceChildren(...actionsOf(now));
    if (focused !== false) (actions.querySelector(`[data-pp-act="${focused}"]`) ?? dialog).focus();
  }

  function actionsOf(now: FileView) {
    const made: HTMLElement[] = [];
    if (!now.id) return made;
    const done = now.status === 'completed';
    const shownJob = job.get().job;
    const address = `${url.result(jobId(), now.id)}?download=1`;
    const act = (label: string, onclick: () => unknown, properties = {}) => made.push(part('button', 'viewer-action', { onclick, ...properties }, t(label)));
    if (done) {
      made.push(part('a', 'viewer-action', { href: address, download: '', onclick: job.saves(address) }, t('downloadResult')));
      if (now.review?.length) act('looksFine', () => job.accept(now));
      if (cropStep(now, shownJob)) act('crop', crop, { 'data-pp-act': 'crop' });
      if (now.crop?.manual) act('cropUndo', () => job.setCrop(now, null).catch(() => {}));
      if (usesModel(now, shownJob)) act('brush', paint, { 'data-pp-act': 'brush' });
      if (now.engine?.model === 'drawn') act('brushUndo', () => job.setMask(now, null).catch(() => {}));
    }
    if (now.can_undo) made.push(part('button', 'viewer-action', { onclick: () => job.undo([now]), 'data-pp-act': 'undo' }, t('undoRedo', { n: 1 })));
    if (canRetry(now)) act('retry', () => job.retry(now), { 'aria-label': t('retryNamed', { name: now.name }) });
    if (models.length && (done ? usesModel(now, shownJob) : mayTryOther(now, shownJob))) {
      made.push(modelSelect({ el, t, format, models }, `pp-model-${now.id}`, (model) => job.redo([now], { model }), now.engine?.model).element);
    }
    return made;
  }

  async function askModels() {
    models = (await job.client.models()).models;
    const now = file();
    if (!now || !dialog.open) return;
    drawActions(now);
    if (other) actions.querySelector('select')?.focus();
  }

  /** Lays the crop or the brush over the photo, unless that was left meanwhile. */
  function lay(name: string, open: (now: FileView, closed: () => void) => Promise<Layer>) {
    const now = file();
    if (!now?.id || layer) return;
    job.attempt(async () => {
      const opened = await open(now, () => {
        layer = null;
        delete stage.dataset.ppPainting;
        actions.querySelector(`[data-pp-act=${name}]`)?.focus();
      });
      if (layer || file()?.key !== now.key || !dialog.open) return opened.close();
      stage.dataset.ppPainting = '';
      layer = opened;
    });
  }

  const crop = () => lay('crop', async ({ id }, closed) => {
    const [photo] = await Promise.all([job.fetchPicture(original(id!)), job.detail(file()!)]);
    const now = job.get().files.get(job.get().keys.get(id!)!)!;
    return openCrop(stage, {
      photo, t, closed, size: { width: now.width ?? 0, height: now.height ?? 0 }, frame: now.crop ?? null,
      step: cropStep(now, job.get().job), save: (part) => job.setCrop(now, part),
    });
  });

  const paint = () => lay('brush', async (now, closed) => {
    const [photo, mask] = await Promise.all([
      job.fetchPicture(original(now.id!)),
      job.client.bytes(url.mask(jobId(), now.id!)).then((blob) => URL.createObjectURL(blob)),
    ]);
    return openBrush(stage, { photo, mask, t, save: (drawnMask) => job.setMask(now, drawnMask), closed: () => {
      URL.revokeObjectURL(mask);
      closed();
    } });
  });

  function step(by: number) {
    const files = shown().filter(({ id }) => id);
    const to = files[files.findIndex((one) => one.key === current) + by];
    if (!to) return;
    layer?.close();
    current = to.key;
    draw();
  }

  function press(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ((event.target as Element).matches('select, input:not([type=range], [type=radio])')) return;
    const key = event.key.toLowerCase();
    if (layer) {
      if (layer.press(key)) event.preventDefault();
    } else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1);
  }

  function end() {
    for (const leave of left) leave();
    layer?.close();
    dialog.remove();
    opener?.focus();
  }

  const left = [job.subscribe(draw), job.onFault(({ message, hint }) => {
    fault.textContent = [message, hint].filter(Boolean).join(' ');
    fault.hidden = false;
  })];
  host.append(dialog);
  dialog.showModal();
  draw();
  askModels().catch(() => {}); // without them, none is offered
  return { close: () => dialog.open && dialog.close() };
}
