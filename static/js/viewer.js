/**
 * One photo opened: before and after on one stage, the backdrop, the facts, and the way to the next.
 *
 * @import { Editor, FileView, Frame } from './core/types.js'
 * @import { Page, Picture } from './page.js'
 */

import { OfflineError } from './core/client.js';
import { swatch } from './core/form.js';
import { canRetry, groupOf, hasResult, largestOf, usesModel } from './core/store.js';
import { byId, el, icon, oncePerFrame, setText } from './dom.js';
import { deletePhotos } from './deletion.js';
import { downloadMenu } from './downloads.js';
import { cropStep, measuresOf } from './editor/guides.js';
import { withEditorTexts } from './editor/texts.js';
import { drawFacts, factRows, notesOf, timings } from './facts.js';
import { modelSelect } from './redo.js';
import { hashOf, readPlace, replacePlace } from './place.js';
import { openDialog, setUpDialog } from './shell.js';
import { createCompare } from './stage.js';
import { clipboardButton, shareButton } from './handing.js';
import { createZoom } from './zoom.js';

const BACKDROPS = /** @type {const} */ (['checker', 'white', 'black', 'blur']);
const SHOWABLE = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|avif)$/i;
const PREVIEW_PX = 1600;

/** @param {FileView} file @param {string} jobId @param {Page} page @param {Record<'undo'|'brush'|'unbrush'|'crop'|'uncrop'|'fine'|'remove'|'toNext', () => void> & {redo: (model: string) => void, left: number}} acts */
function actions(file, jobId, page, { undo, brush, unbrush, redo, crop, uncrop, fine, remove, toNext, left }) {
  if (!file.id) return [];
  const { client, t, format, retryFile, session } = page;
  const id = file.id;
  const done = file.status === 'completed';
  const outputs = file.outputs ?? [];
  /** @type {any[]} */ const drawn = [];
  const add = (/** @type {any} */ element) => element && drawn.push(element);
  if (done && outputs.length) {
    const address = (/** @type {string} */ name) => client.url.result(jobId, id, name);
    add(downloadMenu({ el, t, format, chevron: icon('chevron'), link: (url, properties, ...children) => el('a', {
      className: outputs.length > 1 ? 'quiet' : 'primary', href: `${url}?download=1`, download: '', ...properties,
    }, outputs.length > 1 ? null : icon('download'), ...children) }, outputs, address));
    const name = largestOf(file, session.store.get().job) ?? outputs[0].name;
    const best = { url: address(name), name: file.name, format: outputs.find((one) => one.name === name)?.format ?? outputs[0].format };
    add(el('div', { className: 'pair' }, clipboardButton(page, best), shareButton(page, best)));
  }
  const button = (/** @type {string} */ text, /** @type {() => void} */ onclick, className = 'button', id = '') => el('button', { className, id, onclick }, text);
  if (file.can_undo) add(button(t('undoRedo', { n: 1 }), undo, 'button', 'photo-undo'));
  if (canRetry(file)) add(button(t('retry'), () => retryFile(file), 'primary retry', 'photo-retry'));
  if (done && file.review?.length) add(button(t('looksFine'), fine, 'button fine', 'photo-fine'));
  if (left) add(button(t('nextLook', { n: left }), toNext, 'button', 'next-look'));
  if (done && cropStep(file, session.store.get().job)) add(button(t('crop'), crop, 'button', 'crop-open'));
  if (done && file.crop?.manual) add(button(t('cropUndo'), uncrop, 'quiet', 'crop-undo'));
  if (done && file.engine) add(button(t('brush'), brush, 'button', 'brush-open'));
  if (file.engine?.model === 'drawn') add(button(t('brushUndo'), unbrush, 'quiet', 'brush-undo'));
  if ((done || canRetry(file)) && usesModel(file, session.store.get().job)) add(modelSelect(page, 'viewer-model', redo, file.engine?.model).element);
  add(el('a', { className: 'quiet', href: `${client.url.source(jobId, id)}?download=1`, download: '' }, t('downloadOriginal')));
  add(button(t('deleteJob'), remove, 'quiet', 'photo-delete'));
  return drawn;
}

/** @param {'look'|'failed'} kind @param {string} code @param {string} text */
const note = (kind, code, text) => el('p', { className: `note small ${kind}`, 'data-code': code }, icon(kind), el('span', {}, text));

/** @param {Page} given @param {() => string[]} shownKeys */
export function createViewer(given, shownKeys) {
  const t = withEditorTexts(given.t);
  const page = { ...given, t };
  const { session } = page;
  const dialog = byId('viewer');
  const compare = createCompare(page);
  const zoom = createZoom(byId('stage'), compare.parts);
  let current = '';
  let pushed = false;
  /** @type {string[]} */ let beside = []; // ids of the others, the next one first
  /** @type {FileView|null} */ let drawn = null;
  /** @type {Editor|null} */ let painting = null; // the brush, or the crop
  /** @type {Map<string, any>} */ const drafts = new Map(); // what was not saved of an editor, by its name and the photo's id
  /** @type {{id: string, result: Picture|null}} */ let former = { id: '', result: null };
  let drawnActions = '';
  setUpDialog(dialog);

  const jobId = () => session.store.get().job?.id ?? '';
  const file = () => {
    const { keys, files } = session.store.get();
    return files.get(keys.get(current) ?? '') ?? null;
  };

  const draw = oncePerFrame(() => {
    const now = file();
    if (dialog.open && drawn && !now) return leave();
    if (!dialog.open || !now || now === drawn) return;
    const asked = drawn?.id === now.id && drawn?.status === now.status && drawn?.revision === now.revision;
    drawn = now;
    if (!asked) session.detail(current).catch(() => {});
    setText(byId('viewer-name'), now.name);
    byId('viewer-facts').replaceChildren(...drawFacts(el, factRows(now, { t, format: page.format, locale: document.documentElement.lang, modelTitle: page.models.title })));
    byId('viewer-times').lastElementChild.replaceChildren(...timings(now, t));
    byId('viewer-times').hidden = !now.timings;
    byId('viewer-notes').replaceChildren(...notesOf(now).map(({ kind, code, text }) => note(kind, code, text)));
    place();
    drawActions(now);
    const waits = now.status !== 'completed' && !now.error;
    const known = hasResult(now) ? result(now) : waits && former.id === now.id ? former.result : null;
    setText(byId('stage').querySelector('.stage-note'), !waits ? '' : t(known ? 'redoing' : 'notReady'));
    compare.show(original(now), known, former.id !== now.id);
    former = { id: now.id ?? '', result: known };
  });

  /** What has the focus keeps it, or hands it to the dialog. @param {FileView} now */
  function drawActions(now) {
    const holder = byId('viewer-actions');
    const left = others().length;
    const asked = [now.id, now.status, now.revision, now.review?.length, now.crop?.manual, now.engine?.model, canRetry(now), now.can_undo, left, ...(now.outputs ?? []).map(({ sha256 }) => sha256)].join();
    if (asked === drawnActions && now.id) return;
    drawnActions = asked;
    const active = document.activeElement;
    const focused = holder.contains(active) ? active?.id || 'viewer-model' : active === dialog ? lostFocus : '';
    const wasOpen = holder.querySelector('details.downloads')?.open;
    holder.replaceChildren(...actions(now, jobId(), page, { undo, brush, unbrush, redo, crop, uncrop, fine, remove, toNext, left }));
    if (wasOpen) holder.querySelector('details.downloads')?.setAttribute('open', '');
    if (!focused) return;
    const again = document.getElementById(focused);
    lostFocus = again ? '' : focused; // it may be back once the photo is made anew
    if (again) again.focus();
    else dialog.focus();
  }
  let lostFocus = '';

  /** Ids of the other photos to look at, those after this one first. */
  function others() {
    const { order, files } = session.store.get();
    const all = order.flatMap((key) => files.get(key) ?? []);
    const at = all.findIndex(({ id }) => id === current);
    return [...all.slice(at + 1), ...all.slice(0, Math.max(0, at))].filter((one) => one.id && groupOf(one) === 'look').map(({ id }) => String(id));
  }

  /** Photos of the job that look like this one, asked for when they are unfolded. */
  const alike = byId('viewer-alike');
  setText(alike.querySelector('summary'), t('alike'));
  async function showAlike() {
    const holder = alike.querySelector('.alike');
    holder.replaceChildren();
    if (!alike.open) return;
    const [id, own] = [jobId(), current];
    await page.attempt(async () => {
      const { groups } = await page.client.call('GET', `/api/jobs/${encodeURIComponent(id)}/similar`);
      if (own !== current) return;
      const { files } = groups.find((/** @type {any} */ group) => group.files.some((/** @type {any} */ one) => one.id === own)) ?? { files: [] };
      const found = files.filter((/** @type {any} */ one) => one.id !== own).map((/** @type {any} */ one) => {
        const image = el('img', { alt: '', loading: 'lazy' });
        page.show(image, page.client.url.thumbnail(id, one.id));
        return el('button', { title: one.name, 'aria-label': t('open', { name: one.name }), onclick: () => leaving(() => {
          replacePlace(id, one.id);
          show(one.id);
        }) }, image);
      });
      holder.replaceChildren(...(found.length ? found : [el('p', {}, t('noneAlike'))]));
    });
  }
  alike.addEventListener('toggle', showAlike);

  function toNext() {
    const [next] = others();
    if (!next) return;
    replacePlace(jobId(), next);
    show(next);
  }

  /** @param {FileView} of */
  function original({ name }) {
    const spare = page.client.url.thumbnail(jobId(), current, { of: 'source', size: PREVIEW_PX });
    return { src: SHOWABLE.test(name) ? page.client.url.source(jobId(), current) : spare, spare };
  }

  /** @param {FileView} of */
  function result(of) {
    const { outputs, revision } = of;
    const spare = page.client.url.thumbnail(jobId(), current, { size: PREVIEW_PX, v: revision });
    const again = revision ? `?v=${revision}` : '';
    const name = largestOf(of, session.store.get().job);
    const format = outputs?.find((one) => one.name === name)?.format ?? outputs?.[0]?.format;
    return { src: format === 'tiff' ? spare : page.client.url.result(jobId(), current, name) + again, spare };
  }

  /** Ids of the photos that can be gone through: those that the filter shows, and this one. */
  function row() {
    const { files } = session.store.get();
    const ids = shownKeys().map((key) => files.get(key)?.id).filter(Boolean);
    return /** @type {string[]} */ (ids.includes(current) ? ids : [current, ...ids]);
  }

  function place() {
    const ids = row();
    const at = ids.indexOf(current);
    setText(byId('viewer-position'), t('position', { n: at + 1, total: ids.length }));
    beside = [...ids.slice(at + 1), ...ids.slice(0, Math.max(0, at)).reverse()];
    byId('viewer-previous').disabled = at <= 0;
    byId('viewer-next').disabled = at >= ids.length - 1;
  }

  /** The photo is gone: on to the one beside it. */
  function leave() {
    const { files } = session.store.get();
    const next = beside.find((id) => [...files.values()].some((one) => one.id === id));
    if (!next) return dialog.close();
    replacePlace(jobId(), next);
    show(next);
  }

  const remove = () => deletePhotos(page, [current]);

  function step(by) {
    const ids = row();
    const next = ids[ids.indexOf(current) + by];
    if (!next) return;
    leaving(() => {
      replacePlace(jobId(), next);
      show(next);
    });
  }

  /** Once an editor lets go of the photo. @param {() => void} then */
  function leaving(then) {
    if (painting) painting.leave(then);
    else then();
  }

  function show(id) {
    if (id === current && dialog.open) return;
    painting?.close();
    zoom.reset();
    current = id;
    drawn = null;
    drawnActions = lostFocus = '';
    if (alike.open) showAlike();
    openDialog(dialog);
    draw();
  }

  /**
   * An editor over the photo, unless that was left meanwhile.
   * @param {string} name @param {(now: FileView, own: {id: string, photo: string, mask: string|null, t: typeof t, draft: any, closed: (draft: any) => void}) => Promise<Editor>} open
   */
  const lay = (name, open) => page.attempt(async () => {
    zoom.reset();
    const [id, own] = [jobId(), current];
    await session.detail(own);
    const now = file();
    if (painting || own !== current || !now) return;
    const hasMask = Boolean(now.engine) || name === 'brush';
    const [photo, mask] = await Promise.all([
      page.address(page.client.url.thumbnail(id, own, { of: 'source', size: PREVIEW_PX })),
      hasMask ? page.address(`${page.client.url.mask(id, own)}?v=${Date.now()}`).catch(() => null) : null,
    ]);
    const kept = `${name} ${own} ${now.revision}`;
    const layer = await open(now, {
      id: own, photo, mask, t, draft: drafts.get(kept),
      closed: (draft) => {
        painting = null;
        delete byId('stage').dataset.painting;
        if (draft) drafts.set(kept, draft);
        else drafts.delete(kept);
        if (own === current) document.getElementById(`${name}-open`)?.focus();
      },
    });
    if (own !== current || painting || !dialog.open) return layer.close();
    painting = layer;
    byId('stage').dataset.painting = '';
  });

  /** Waited for by an editor, which stays where it is refused. @param {() => Promise<void>} action */
  const saving = (action) => action().catch((error) => {
    page.attempt(() => { throw error; });
    throw error;
  });

  /** @template T @param {Promise<T>} module */
  const fetched = (module) => module.catch(() => {
    throw new OfflineError();
  });

  const brush = () => lay('brush', async (now, { id, mask, ...own }) => (await fetched(import('./brush.js'))).openBrush(byId('stage'), {
    ...own, mask: String(mask), save: (drawing) => saving(() => session.again((job) => page.client.putMask(job, id, drawing))),
  }));

  const crop = () => lay('crop', async (now, { id, ...own }) => {
    const { job } = session.store.get();
    const step = cropStep(now, job);
    const [{ openCrop }, measures] = await Promise.all([fetched(import('./crop.js')), measuresOf(page.client, step)]);
    const [next] = others();
    return openCrop(byId('stage'), {
      ...own, step, measures, size: { width: now.width ?? 0, height: now.height ?? 0 }, frame: now.crop ?? null,
      removal: (now.recipe ?? job?.recipe)?.operations.find(({ op }) => op === 'remove_background'),
      save: (frame) => saving(() => session.again((job) => page.client.setCrop(job, id, frame))),
      next: next ? () => {
        toNext();
        const to = file();
        if (to && cropStep(to, session.store.get().job)) crop();
      } : null,
    });
  });
  const uncrop = () => page.attempt(() => session.again((id) => page.client.setCrop(id, current, null)));

  /** The next of those to look at, where these are gone through. */
  async function fine() {
    const now = file();
    const ids = row();
    if (!now?.review?.length) return;
    await page.accept(now);
    const next = ids[ids.indexOf(current) + 1];
    if (next && byId('cards').dataset.filter === 'look') {
      replacePlace(jobId(), next);
      show(next);
    }
  }
  const undo = () => page.attempt(() => session.again((id) => page.client.undo(id, [current])));
  const redo = (/** @type {string} */ model) => page.attempt(() => session.again((id) => page.client.reprocess(id, { files: [current], model })));
  const unbrush = () => page.attempt(() => session.again((id) => page.client.deleteMask(id, current)));

  function cycleBackdrop() {
    const radios = [...byId('viewer-backdrops').querySelectorAll('[type=radio]')];
    radios[(radios.findIndex(({ checked }) => checked) + 1) % radios.length].click();
  }

  function drawBackdrops() {
    const picker = el('input', {
      type: 'color', className: 'own-colour', value: '#3f6f9f', 'aria-label': `${t('background')}: ${t('ownColour')}`,
      oninput: () => {
        picker.previousElementSibling.firstElementChild.checked = true;
        compare.setBackdrop(picker.value);
      },
    });
    byId('viewer-backdrops').append(
      ...BACKDROPS.map((name, index) => swatch(el, `backdrop-${name}`, 'backdrop', name, t(name), index === 0, () => compare.setBackdrop(name))),
      swatch(el, 'backdrop-own', 'backdrop', 'own', t('ownColour'), false, () => compare.setBackdrop(picker.value)), picker);
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    b: cycleBackdrop,
    f: fine,
    n: toNext,
    '+': zoom.closer,
    '=': zoom.closer,
    '-': zoom.farther,
    0: zoom.reset,
    ' ': compare.flip,
    d: () => byId('viewer-actions').querySelector('a[data-output]')?.click(), // the largest
    r: () => byId('viewer-actions').querySelector('.retry')?.click(),
    Delete: remove,
    c: () => byId('viewer-actions').querySelector('.copy')?.click(),
  };

  byId('viewer-previous').onclick = () => step(-1);
  byId('viewer-next').onclick = () => step(1);
  dialog.addEventListener('keydown', (event) => { // a browser closes a dialog at the second Escape, whatever `cancel` says
    if (event.key !== 'Escape' || !painting || event.defaultPrevented) return;
    event.preventDefault();
    painting.leave();
  });
  dialog.addEventListener('cancel', (event) => {
    if (!painting) return;
    event.preventDefault();
    painting.leave();
  });
  dialog.addEventListener('click', (event) => {
    if (!painting || !event.target.closest('[data-close]')) return;
    event.stopPropagation();
    painting.leave(() => dialog.close());
  }, true);
  dialog.addEventListener('close', () => {
    painting?.close();
    const id = current;
    current = '';
    compare.clear();
    if (readPlace()?.file) {
      if (pushed) history.back();
      else replacePlace(jobId());
    }
    pushed = false;
    /** @type {HTMLElement|null} */ (document.querySelector(`.card[data-id="${CSS.escape(id)}"] .thumb`))?.focus();
  });
  drawBackdrops();
  session.store.subscribe(draw);

  return {
    get isOpen() {
      return dialog.open;
    },
    show,
    close: () => dialog.open && dialog.close(),
    /** From a card: the Back button leads out again. */
    enter(id) {
      pushed = true;
      location.hash = hashOf(jobId(), id);
    },
    /** Whether the key means something here. @param {string} key @param {KeyboardEvent} event */
    press(key, event) {
      if (painting) return painting.press(key, event);
      keys[key]?.();
      return key in keys;
    },
  };
}
