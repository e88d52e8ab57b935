/**
 * One photo opened: the comparison, the backdrop, the facts, and the way to the next.
 *
 * @import { FileView } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { byId, el, oncePerFrame, setText } from './dom.js';
import { createCompare } from './compare.js';
import { openDialog, setUpDialog } from './dialogs.js';
import { actions, facts, notes } from './facts.js';
import { swatch } from './fields.js';
import { hashOf, readPlace, replacePlace } from './router.js';

const BACKDROPS = /** @type {const} */ (['checker', 'white', 'black']);
const SHOWABLE = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|avif)$/i;
const PREVIEW_PX = 1600;

/** @param {Page} page @param {() => string[]} shownKeys */
export function createViewer(page, shownKeys) {
  const { session, t } = page;
  const dialog = byId('viewer');
  const compare = createCompare(t);
  let current = '';
  let pushed = false;
  /** @type {FileView|null} */ let drawn = null;
  setUpDialog(dialog);

  const jobId = () => session.store.get().job?.id ?? '';
  const file = () => {
    const { keys, files } = session.store.get();
    return files.get(keys.get(current) ?? '') ?? null;
  };

  const draw = oncePerFrame(() => {
    const now = file();
    if (!dialog.open || !now || now === drawn) return;
    const asked = drawn?.id === now.id && drawn?.status === now.status;
    drawn = now;
    if (!asked) session.detail(current).catch(() => {});
    setText(byId('viewer-name'), now.name);
    byId('viewer-facts').replaceChildren(...facts(now, page));
    byId('viewer-notes').replaceChildren(...notes(now));
    byId('viewer-actions').replaceChildren(...actions(now, jobId(), page));
    setText(byId('stage').querySelector('.stage-note'), now.status === 'completed' || now.error ? '' : t('notReady'));
    compare.show(original(now), now.status === 'completed' ? result(now) : null);
    place();
  });

  /** @param {FileView} of */
  function original({ name }) {
    const spare = page.client.url.thumbnail(jobId(), current, { of: 'source', size: PREVIEW_PX });
    return { src: SHOWABLE.test(name) ? page.client.url.source(jobId(), current) : spare, spare };
  }

  /** @param {FileView} of */
  function result({ outputs }) {
    const spare = page.client.url.thumbnail(jobId(), current, { size: PREVIEW_PX });
    return { src: outputs?.[0]?.format === 'tiff' ? spare : page.client.url.result(jobId(), current), spare };
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
    byId('viewer-previous').disabled = at <= 0;
    byId('viewer-next').disabled = at >= ids.length - 1;
  }

  function step(by) {
    const ids = row();
    const next = ids[ids.indexOf(current) + by];
    if (!next) return;
    replacePlace(jobId(), next);
    show(next);
  }

  function show(id) {
    if (id === current && dialog.open) return;
    current = id;
    drawn = null;
    openDialog(dialog);
    draw();
  }

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
      ...BACKDROPS.map((name, index) => swatch(`backdrop-${name}`, 'backdrop', name, t(name), index === 0, () => compare.setBackdrop(name))),
      swatch('backdrop-own', 'backdrop', 'own', t('ownColour'), false, () => compare.setBackdrop(picker.value)), picker);
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    b: cycleBackdrop,
    ' ': compare.flip,
    d: () => byId('viewer-actions').querySelector('a[data-output]')?.click(),
    r: () => byId('viewer-actions').querySelector('button')?.click(),
  };

  byId('viewer-previous').onclick = () => step(-1);
  byId('viewer-next').onclick = () => step(1);
  dialog.addEventListener('close', () => {
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
    /** */
    press(key) {
      keys[key]?.();
      return key in keys;
    },
  };
}
