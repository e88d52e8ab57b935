/** One photo large: before and after with a slider, the ground behind it, crop and mask by hand, another model. For component and element alike; fetched when it is first asked for. */

import { openBrush } from '../../static/js/brush.js';
import { openCrop } from '../../static/js/crop.js';
import { setText } from '../../static/js/core/dom.js';
import { modelSelect } from '../../static/js/core/picker.js';
import { downloadMenu } from '../../static/js/downloads.js';
import { cropStep, measuresOf } from '../../static/js/editor/guides.js';
import { withEditorTexts } from '../../static/js/editor/texts.js';
import { drawFacts, factRows, notesOf } from '../../static/js/facts.js';
import { canRetry, hasResult, largestOf, mayTryOther, usesModel } from '../../static/js/core/store.js';
import { fileText } from '../../static/js/core/words.js';
import type { Editor, FileView, Format, Model, Translate } from '../../static/js/core/types.js';
import type { PhotoJob } from './job.js';
import { makersOf } from './make.js';
import type { ClassOf } from './make.js';

export type ViewerPart =
  | 'viewer' | 'viewer-head' | 'viewer-name' | 'viewer-step' | 'viewer-close' | 'viewer-stage' | 'viewer-frame' | 'before' | 'after'
  | 'behind' | 'slider' | 'pane' | 'shot' | 'tag' | 'facts' | 'notes' | 'note' | 'downloads' | 'caption' | 'viewer-side' | 'backdrops' | 'backdrop' | 'viewer-status' | 'viewer-reason' | 'viewer-actions' | 'viewer-action';

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

const PREVIEW_PX = 1600;
const BACKDROPS = ['checker', 'white', 'black', 'blur'] as const;

export function openViewer(host: HTMLElement, { job, t: texts, format, key, shown, classOf, other }: ViewerOptions): Viewer {
  const t = withEditorTexts(texts);
  const { part, formEl: el } = makersOf(classOf);
  const { url } = job.client;
  let current = key;
  let drawn: FileView | undefined;
  let drawnActions = '';
  let layer: Editor | null = null;
  let former = { key: '', after: '' };
  let turn = 0;
  const drafts = new Map<string, any>(); // what was not saved of an editor, by its name and the photo's id
  let models: Model[] = [];
  const opener = document.activeElement as HTMLElement | null;

  const button = (name: ViewerPart, label: string, text: string, onclick: () => void) => part('button', name, { title: label, 'aria-label': label, onclick }, text);

  const title = part('h2', 'viewer-name', { dir: 'auto' });
  const previous = button('viewer-step', t('previous'), '‹', () => step(-1));
  const next = button('viewer-step', t('next'), '›', () => step(1));
  const head = part('header', 'viewer-head', {}, title, previous, next, button('viewer-close', t('close'), '×', () => leaving(() => dialog.close())));
  const behind = part('span', 'behind');
  const after = part('img', 'after', { alt: t('after'), crossOrigin: 'anonymous' });
  const before = part('img', 'before', { alt: t('before'), crossOrigin: 'anonymous' });
  const slider = part('input', 'slider', { type: 'range', min: 0, max: 100, value: 50, 'aria-label': t('compare'), oninput: slide });
  const pane = (image: HTMLElement, name: string) => part('div', 'pane', { 'data-pp-pane': name }, part('div', 'shot', {}, image, part('span', 'tag', { 'data-pp-tag': name, 'aria-hidden': 'true' }, t(name))));
  const frame = part('figure', 'viewer-frame', {}, behind, pane(after, 'after'), pane(before, 'before'), slider);
  const stage = part('div', 'viewer-stage', {}, frame);
  const caption = part('p', 'caption', { dir: 'auto', hidden: true });
  const facts = part('dl', 'facts');
  const status = part('p', 'viewer-status', { role: 'status' });
  const notes = part('div', 'notes');
  const fault = part('p', 'fault', { role: 'alert', hidden: true });
  const actions = part('div', 'viewer-actions');
  const side = part('div', 'viewer-side', {}, backdrops(), status, caption, notes, fault, facts, actions);
  const dialog = part('dialog', 'viewer', { 'aria-label': t('compare'), tabIndex: -1, onclose: end, onkeydown: press, oncancel: (event: Event) => {
    if (!layer) return;
    event.preventDefault();
    layer.leave();
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

  /** The address once its picture can be shown; nothing where there is none. */
  async function ready(address: string | false | null) {
    const probe = el('img', { crossOrigin: 'anonymous' }) as HTMLImageElement;
    if (!address) return null;
    probe.src = await job.fetchPicture(address).catch(() => 'data:,');
    return probe.decode().then(() => probe, () => null);
  }

  function put(image: HTMLImageElement, picture: HTMLImageElement | null) {
    image.hidden = !picture;
    if (picture) image.src = picture.src;
    const { naturalWidth: width = 0, naturalHeight: height = 0 } = picture ?? {};
    image.parentElement!.style.setProperty('--pp-ratio', String(width / height || 1));
    return { width, height };
  }

  const original = (id: string) => url.thumbnail(jobId(), id, { of: 'source', size: PREVIEW_PX });

  /** What was shown stays until what takes its place is there: the former result, while the next is made. */
  async function load(now: FileView) {
    const { id, revision: v } = now;
    const own = ++turn;
    const fresh = former.key !== current;
    const made = id && hasResult(now) ? url.thumbnail(jobId(), id, { size: PREVIEW_PX, v: v || undefined }) : fresh || now.error ? '' : former.after;
    former = { key: current, after: made };
    const [one, two] = await Promise.all([ready(id && original(id)), ready(made)]);
    if (own !== turn) return;
    const [left, right] = [put(before, one), put(after, two)];
    const skew = (left.width * right.height) / (left.height * right.width);
    stage.dataset.ppMode = one && two ? (Math.abs(skew - 1) < 0.02 ? 'slider' : 'pair') : two ? 'after' : one ? 'before' : 'none';
    const main = two ? right : left;
    frame.style.setProperty('--pp-ratio', String(main.width / main.height || 1));
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
    notes.replaceChildren(...notesOf(now).map(({ kind, code, text }) => part('p', 'note viewer-reason', { 'data-pp-code': code, 'data-pp-kind': kind }, text)));
    setText(caption, [now.number, now.caption].filter(Boolean).join(' · '));
    caption.hidden = !caption.textContent;
    drawFactsOf(now);
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

  /** Models have their titles once those are there. */
  function drawFactsOf(now: FileView) {
    facts.replaceChildren(...drawFacts(el, factRows({ ...now, number: null, caption: null }, { t, format, locale: format.locale, modelTitle: (name) => models.find((one) => one.name === name)?.title ?? '' })));
  }

  /** Only where they are others: what has the focus keeps it. */
  function drawActions(now: FileView) {
    const wanted = [now.id, now.status, now.revision, now.review?.length, now.crop?.manual, now.engine?.model, canRetry(now), now.can_undo, models.length, ...(now.outputs ?? []).map(({ sha256 }) => sha256)].join();
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
    const addressOf = (name?: string) => `${url.result(jobId(), now.id!, name)}?download=1`;
    const link = (address: string, properties: object, ...children: any[]) => part('a', 'viewer-action', { href: address, download: '', onclick: job.saves(address), ...properties }, ...children);
    const act = (label: string, onclick: () => unknown, properties = {}) => made.push(part('button', 'viewer-action', { onclick, ...properties }, t(label)));
    if (done) {
      made.push(downloadMenu({ el, t, format, link }, now.outputs ?? [], addressOf) ?? link(addressOf(largestOf(now, shownJob)), {}, t('downloadResult')));
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
    drawFactsOf(now);
    drawActions(now);
    if (other) actions.querySelector('select')?.focus();
  }

  /** Lays the crop or the brush over the photo, unless that was left meanwhile. */
  function lay(name: string, open: (now: FileView, own: { photo: string; mask: string | null; t: Translate; draft: any; closed: (draft: any) => void }) => Promise<Editor>) {
    const { id } = file() ?? {};
    if (!id || layer) return;
    job.attempt(async () => {
      await job.detail(file()!);
      const now = file();
      if (now?.id !== id) return;
      const [photo, mask] = await Promise.all([
        job.fetchPicture(original(id)),
        now.engine || name === 'brush' ? job.client.bytes(url.mask(jobId(), id)).then((blob) => URL.createObjectURL(blob), (error) => {
          if (name === 'brush') throw error;
          return null;
        }) : null,
      ]);
      const kept = `${name} ${id} ${now.revision}`;
      const opened = await open(now, { photo, mask, t, draft: drafts.get(kept), closed: (draft) => {
        if (mask) URL.revokeObjectURL(mask);
        layer = null;
        delete stage.dataset.ppPainting;
        if (draft) drafts.set(kept, draft);
        else drafts.delete(kept);
        actions.querySelector(`[data-pp-act=${name}]`)?.focus();
      } });
      if (layer || file()?.key !== now.key || !dialog.open) return opened.close();
      stage.dataset.ppPainting = '';
      layer = opened;
    });
  }

  const crop = () => lay('crop', async (now, own) => {
    const shownJob = job.get().job;
    const stepNow = cropStep(now, shownJob);
    return openCrop(stage, {
      ...own, step: stepNow, measures: await measuresOf(job.client, stepNow), size: { width: now.width ?? 0, height: now.height ?? 0 }, frame: now.crop ?? null,
      removal: (now.recipe ?? shownJob?.recipe)?.operations.find(({ op }) => op === 'remove_background'), save: (frame) => job.setCrop(now, frame),
    });
  });

  const paint = () => lay('brush', (now, own) => openBrush(stage, { ...own, mask: own.mask!, save: (mask) => job.setMask(now, mask) }));

  /** Once an editor lets go of the photo. */
  function leaving(then: () => void) {
    if (layer) layer.leave(then);
    else then();
  }

  function step(by: number) {
    const files = shown().filter(({ id }) => id);
    const to = files[files.findIndex((one) => one.key === current) + by];
    if (!to) return;
    leaving(() => {
      current = to.key;
      draw();
    });
  }

  function press(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ((event.target as Element).matches('select, input:not([type=range], [type=radio])')) return;
    const key = event.key.toLowerCase();
    if (layer) {
      if (layer.press(event.key.length === 1 ? key : event.key, event)) event.preventDefault();
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
