/**
 * One photo opened: before and after on one stage, the backdrop, the facts, and the way to the next.
 *
 * @import { FileView, Frame } from './core/types.js'
 * @import { Page, Picture } from './page.js'
 */

import { OfflineError } from './core/client.js';
import { swatch } from './core/form.js';
import { canRetry, cropStep, hasResult, usesModel } from './core/store.js';
import { byId, el, icon, oncePerFrame, setText } from './dom.js';
import { deletePhotos } from './deletion.js';
import { facts, notes, timings } from './facts.js';
import { modelSelect } from './redo.js';
import { hashOf, readPlace, replacePlace } from './place.js';
import { openDialog, setUpDialog } from './shell.js';
import { clipboardButton, shareButton } from './handing.js';
import { createZoom } from './zoom.js';

const LARGE = 2; // times its own size a small picture may grow
const BACKDROPS = /** @type {const} */ (['checker', 'white', 'black', 'blur']);
const SHOWABLE = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|avif)$/i;
const PREVIEW_PX = 1600;

/** @param {Page} page */
function createCompare({ t, show }) {
  const stage = byId('stage');
  const frame = stage.querySelector('.frame');
  const [behind, after, before, , , , slider] = frame.children;
  let shown = '';
  let turn = 0;

  /** @param {Picture|null} picture @returns {Promise<boolean>} */
  function load(image, picture) {
    return new Promise((resolve) => {
      let tried = picture?.src;
      image.onload = () => resolve(true);
      image.onerror = () => {
        if (picture && tried !== picture.spare) show(image, tried = picture.spare);
        else resolve(false);
      };
      if (picture) show(image, picture.src);
      else {
        image.removeAttribute('src');
        resolve(false);
      }
    });
  }

  function modeOf(hasBefore, hasAfter) {
    if (!hasBefore || !hasAfter) return hasAfter ? 'after' : hasBefore ? 'before' : 'none';
    const skew = (before.naturalWidth * after.naturalHeight) / (before.naturalHeight * after.naturalWidth);
    return Math.abs(skew - 1) < 0.02 ? 'slider' : 'pair';
  }

  function layOut() {
    const main = stage.dataset.mode === 'before' ? before : after;
    frame.style.setProperty('--ratio', String(main.naturalWidth / main.naturalHeight || 1));
    frame.style.setProperty('--most', `${LARGE * Math.max(main.naturalWidth, before.naturalWidth)}px`);
  }

  function slide() {
    frame.style.setProperty('--at', `${slider.value}%`);
    slider.setAttribute('aria-valuetext', t('compareValue', { n: slider.valueAsNumber }));
  }

  slider.addEventListener('input', slide);

  return {
    /** @param {Picture} original @param {Picture|null} result */
    async show(original, result) {
      const wanted = `${original.src} ${result?.src}`;
      if (wanted === shown) return;
      shown = wanted;
      const own = ++turn;
      stage.dataset.mode = 'none';
      const [hasBefore, hasAfter] = await Promise.all([load(before, original), load(after, result)]);
      if (own !== turn) return;
      stage.dataset.mode = modeOf(hasBefore, hasAfter);
      behind.firstElementChild.style.backgroundImage = stage.dataset.mode === 'slider' ? `url("${before.src}")` : '';
      layOut();
      slide();
    },
    clear() {
      shown = '';
      turn++;
      stage.dataset.mode = 'none';
      load(before, null);
      load(after, null);
    },
    /** All of the one, or all of the other. */
    flip() {
      slider.value = slider.valueAsNumber > 50 ? 0 : 100;
      slide();
    },
    setBackdrop(backdrop) {
      stage.dataset.backdrop = backdrop.startsWith('#') ? 'colour' : backdrop;
      if (backdrop.startsWith('#')) stage.style.setProperty('--backdrop', backdrop);
    },
  };
}

/** @param {FileView} file @param {string} jobId @param {Page} page @param {{undo: () => void, brush: () => void, unbrush: () => void, redo: (model: string) => void, crop: () => void, uncrop: () => void, fine: () => void, remove: () => void}} acts */
function actions(file, jobId, page, { undo, brush, unbrush, redo, crop, uncrop, fine, remove }) {
  if (!file.id) return [];
  const { client, t, retryFile, session } = page;
  const id = file.id;
  const done = file.status === 'completed';
  const outputs = file.outputs ?? [];
  const drawn = !done ? [] : outputs.map(({ name, format }, index) => el('a', {
    className: index ? 'button' : 'primary', href: `${client.url.result(jobId, id, name)}?download=1`, download: '', 'data-output': name,
  }, icon('download'), outputs.length > 1 ? t('downloadFormat', { format: format.toUpperCase() }) : t('downloadResult')));
  const add = (/** @type {any} */ element) => element && drawn.push(element);
  if (done && outputs.length) {
    const first = { url: client.url.result(jobId, id), name: file.name, format: outputs[0].format };
    add(el('div', { className: 'pair' }, clipboardButton(page, first), shareButton(page, first)));
  }
  if (canRetry(file)) add(el('button', { className: 'primary retry', onclick: () => retryFile(file) }, t('retry')));
  const button = (/** @type {string} */ text, /** @type {() => void} */ onclick, className = 'button', id = '') => el('button', { className, id, onclick }, text);
  if (file.can_undo) add(button(t('undoRedo', { n: 1 }), undo, 'button', 'photo-undo'));
  if (done && file.review?.length) add(button(t('looksFine'), fine, 'button fine'));
  if (done && cropStep(file, session.store.get().job)) add(button(t('crop'), crop, 'button', 'crop-open'));
  if (done && file.crop?.manual) add(button(t('cropUndo'), uncrop, 'quiet'));
  if (done && file.engine) add(el('button', { className: 'button', id: 'brush-open', onclick: brush }, t('brush')));
  if (file.engine?.model === 'drawn') add(el('button', { className: 'quiet', onclick: unbrush }, t('brushUndo')));
  if ((done || canRetry(file)) && usesModel(file, session.store.get().job)) add(modelSelect(page, 'viewer-model', redo, file.engine?.model).element);
  add(el('a', { className: 'quiet', href: `${client.url.source(jobId, id)}?download=1`, download: '' }, t('downloadOriginal')));
  add(button(t('deleteJob'), remove, 'quiet', 'photo-delete'));
  return drawn;
}

/** @param {Page} page @param {() => string[]} shownKeys */
export function createViewer(page, shownKeys) {
  const { session, t } = page;
  const dialog = byId('viewer');
  const compare = createCompare(page);
  const zoom = createZoom(byId('stage'), byId('stage').querySelector('.frame'));
  let current = '';
  let pushed = false;
  /** @type {string[]} */ let beside = []; // ids of the others, the next one first
  /** @type {FileView|null} */ let drawn = null;
  /** @type {{close: () => void, press: (key: string) => unknown}|null} */ let painting = null; // the brush, or the crop
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
    byId('viewer-facts').replaceChildren(...facts(now, page));
    byId('viewer-times').lastElementChild.replaceChildren(...timings(now, page));
    byId('viewer-times').hidden = !now.timings;
    byId('viewer-notes').replaceChildren(...notes(now));
    byId('viewer-actions').replaceChildren(...actions(now, jobId(), page, { undo, brush, unbrush, redo, crop, uncrop, fine, remove }));
    setText(byId('stage').querySelector('.stage-note'), hasResult(now) || now.error ? '' : t('notReady'));
    compare.show(original(now), hasResult(now) ? result(now) : null);
    place();
  });

  /** @param {FileView} of */
  function original({ name }) {
    const spare = page.client.url.thumbnail(jobId(), current, { of: 'source', size: PREVIEW_PX });
    return { src: SHOWABLE.test(name) ? page.client.url.source(jobId(), current) : spare, spare };
  }

  /** @param {FileView} of */
  function result({ outputs, revision }) {
    const spare = page.client.url.thumbnail(jobId(), current, { size: PREVIEW_PX, v: revision });
    const again = revision ? `?v=${revision}` : '';
    return { src: outputs?.[0]?.format === 'tiff' ? spare : page.client.url.result(jobId(), current) + again, spare };
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
    replacePlace(jobId(), next);
    show(next);
  }

  function show(id) {
    if (id === current && dialog.open) return;
    painting?.close();
    zoom.reset();
    current = id;
    drawn = null;
    openDialog(dialog);
    draw();
  }

  /** Laid over the photo, unless that was left meanwhile. @param {{close: () => void, press: (key: string) => unknown}} layer @param {string} own */
  function lay(layer, own) {
    if (own !== current) return layer.close();
    painting = layer;
    byId('stage').dataset.painting = '';
  }

  const brush = () => page.attempt(async () => {
    zoom.reset();
    const [id, own] = [jobId(), current];
    const { openBrush } = await import('./brush.js').catch(() => {
      throw new OfflineError();
    });
    const now = file();
    if (painting || own !== current || !now) return;
    const layer = await openBrush(byId('stage'), {
      photo: await page.address(page.client.url.thumbnail(id, own, { of: 'source', size: PREVIEW_PX })),
      mask: await page.address(`${page.client.url.mask(id, own)}?v=${Date.now()}`),
      t,
      save: (mask) => session.again(() => page.client.putMask(id, own, mask)).catch((error) => {
        page.attempt(() => { throw error; });
        throw error;
      }),
      closed: () => {
        painting = null;
        delete byId('stage').dataset.painting;
      },
    });
    lay(layer, own);
  });

  const crop = () => page.attempt(async () => {
    zoom.reset();
    const [id, own] = [jobId(), current];
    const [{ openCrop }] = await Promise.all([import('./cropping.js'), session.detail(own)]).catch(() => {
      throw new OfflineError();
    });
    const now = file();
    if (painting || own !== current || !now) return;
    /** @param {Omit<Frame, 'manual'>|null} frame */
    const save = (frame) => session.again(() => page.client.setCrop(id, own, frame)).catch((error) => {
      page.attempt(() => { throw error; });
      throw error;
    });
    const layer = await openCrop(byId('stage'), {
      photo: await page.address(page.client.url.thumbnail(id, own, { of: 'source', size: PREVIEW_PX })),
      size: { width: now.width ?? 0, height: now.height ?? 0 },
      frame: now.crop ?? null,
      step: cropStep(now, session.store.get().job),
      t,
      save,
      closed: () => {
        painting = null;
        delete byId('stage').dataset.painting;
        byId('crop-open')?.focus();
      },
    });
    lay(layer, own);
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
    '+': zoom.closer,
    '-': zoom.farther,
    0: zoom.reset,
    ' ': compare.flip,
    d: () => byId('viewer-actions').querySelector('a[data-output]')?.click(),
    r: () => byId('viewer-actions').querySelector('.retry')?.click(),
    Delete: remove,
    c: () => byId('viewer-actions').querySelector('.copy')?.click(),
  };

  byId('viewer-previous').onclick = () => step(-1);
  byId('viewer-next').onclick = () => step(1);
  dialog.addEventListener('cancel', (event) => {
    if (!painting) return;
    event.preventDefault();
    painting.close();
  });
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
    press(key) {
      if (painting) return painting.press(key);
      keys[key]?.();
      return key in keys;
    },
  };
}
