/**
 * Photos chosen in the list, and what is done to them: by a click on the box, with Shift to the last one chosen, with
 * Ctrl on the photo, or with X and A. Fetched with the first photos.
 *
 * @import { FileView, Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { groupOf, hasResult, usesModel } from './core/store.js';
import { withDeskTexts } from './desk-texts.js';
import { byId, el, icon, oncePerFrame, setText } from './dom.js';
import { deletePhotos } from './deletion.js';
import { modelSelect } from './redo.js';

/** @param {FileView|undefined} file */
const mayRedo = (file) => Boolean(file?.id) && (file?.status === 'completed' || file?.can_retry === true);

/** Places as the server reads them: `1-3,7`. @param {number[]} places */
export function ranges(places) {
  /** @type {number[][]} */ const found = [];
  for (const place of [...places].sort((one, other) => one - other)) {
    const last = found.at(-1);
    if (last && last[1] + 1 === place) last[1] = place;
    else found.push([place, place]);
  }
  return found.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join();
}

/** @param {Page} page @param {{recipe: () => Recipe, shownKeys: () => string[], acceptAll: (ids: string[]) => void, print: (ids?: string[]) => void}} options */
export function createSelection(page, { recipe, shownKeys, acceptAll, print }) {
  const { session, client } = page;
  const t = withDeskTexts(page.t);
  const list = byId('cards');
  /** @type {Set<string>} */ const chosen = new Set();
  let anchor = '';
  let shownFiles = session.store.get().files;

  const count = el('strong', {});
  const redo = el('button', { type: 'button', className: 'primary', id: 'redo-selected', onclick: () => again(recipe()) }, t('redo'));
  const model = modelSelect(page, 'selection-model', (name) => again({ model: name }));
  const get = el('a', { className: 'button', id: 'download-selected', download: '' }, icon('download'), t('downloadResult'));
  const fine = el('button', { type: 'button', className: 'button', id: 'fine-selected', onclick: () => acceptAll(lookedAt()) }, t('looksFine'));
  const printed = el('button', { type: 'button', className: 'button', id: 'print-selected', onclick: () => print(done().map(({ id }) => String(id))) }, t('print'));
  const named = el('button', { type: 'button', className: 'button', id: 'rename-selected', onclick: rename }, t('rename'));
  const gone = el('button', { type: 'button', className: 'quiet', id: 'delete-selected', onclick: remove }, t('deleteJob'));
  const all = el('button', { type: 'button', className: 'quiet', onclick: toggleAll });
  const none = el('button', { type: 'button', className: 'icon-button', title: t('selectNone'), 'aria-label': t('selectNone'), onclick: clear }, icon('close'));
  const bar = el('div', { className: 'selection', id: 'selection', role: 'group', 'aria-label': t('select', { name: '' }).trim(), hidden: true },
    count, get, fine, printed, named, redo, model.element, gone, all, none);
  byId('job').append(bar);

  function remove() {
    const { files } = session.store.get();
    deletePhotos(page, [...chosen].flatMap((key) => files.get(key)?.id ?? []));
  }

  const files = () => [...chosen].flatMap((key) => session.store.get().files.get(key) ?? []);
  const done = () => files().filter(hasResult);
  const lookedAt = () => files().filter((file) => groupOf(file) === 'look').map(({ id }) => String(id));

  function rename() {
    return page.attempt(async () => (await import('./names.js')).openNames(page, files().flatMap(({ id }) => id ?? [])));
  }

  /** @returns {string[]} ids of the chosen photos that can be done again */
  function ids() {
    const { files } = session.store.get();
    return [...chosen].map((key) => files.get(key)).filter(mayRedo).map((file) => String(file?.id));
  }

  /** @param {Partial<Recipe> & {model?: string}} how */
  const again = (how) => page.attempt(() => session.again((id) => page.client.reprocess(id, { ...how, files: ids() })));

  const draw = oncePerFrame(() => {
    const { files, job, order } = session.store.get();
    if (files !== shownFiles) chosen.clear();
    shownFiles = files;
    for (const key of chosen) if (!files.has(key)) chosen.delete(key);
    bar.hidden = !chosen.size;
    list.toggleAttribute('data-selecting', chosen.size > 0);
    if (!chosen.size) return;
    const able = ids();
    setText(count, t('selected', { n: chosen.size }));
    const places = done().flatMap(({ index }) => index ?? []);
    get.hidden = !places.length;
    get.href = `${client.url.zip(job?.id ?? '')}?photos=${ranges(places)}`;
    printed.hidden = !places.length;
    fine.hidden = !lookedAt().length;
    redo.disabled = !able.length || job?.status === 'cancelled';
    model.setDisabled(redo.disabled);
    model.element.hidden = ![...chosen].some((key) => usesModel(/** @type {FileView} */ (files.get(key)), job));
    setText(all, t(chosen.size < order.length ? 'selectAll' : 'selectNone'));
  });

  /** @param {string} key @param {boolean} on */
  function set(key, on) {
    if (on) chosen.add(key);
    else chosen.delete(key);
    const card = list.querySelector(`[data-key="${CSS.escape(key)}"]`);
    card?.toggleAttribute('data-chosen', on);
    if (card) card.querySelector('.pick').checked = on;
  }

  /** @param {string} key @param {boolean} on @param {boolean} far as far as the one before */
  function choose(key, on, far) {
    const keys = shownKeys();
    const [from, to] = [keys.indexOf(far && anchor ? anchor : key), keys.indexOf(key)].sort((one, other) => one - other);
    for (const one of from < 0 ? [key] : keys.slice(from, to + 1)) if (session.store.get().files.get(one)?.id) set(one, on);
    anchor = key;
    draw();
    page.announce(t('selected', { n: chosen.size }));
  }

  function clear() {
    for (const key of [...chosen]) set(key, false);
    anchor = '';
    draw();
  }

  function toggleAll() {
    const keys = shownKeys().filter((key) => session.store.get().files.get(key)?.id);
    const every = keys.every((key) => chosen.has(key));
    for (const key of every ? [...chosen] : keys) set(key, !every);
    draw();
    page.announce(t('selected', { n: chosen.size }));
  }

  list.addEventListener('click', (event) => {
    const card = event.target.closest('.card');
    const key = card?.dataset.key;
    if (!key) return;
    if (event.target.matches('.pick')) choose(key, event.target.checked, event.shiftKey);
    else if (event.shiftKey || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      choose(key, event.shiftKey || !chosen.has(key), event.shiftKey);
    }
  });
  for (const pick of list.querySelectorAll('.pick:checked')) set(pick.closest('.card').dataset.key, true); // before this was here
  draw();
  session.store.subscribe(() => (chosen.size || session.store.get().files !== shownFiles) && draw());

  return {
    clear,
    remove,
    toggleAll,
    /** The photo that has the focus. */
    toggle() {
      const key = /** @type {HTMLElement|null|undefined} */ (document.activeElement?.closest('.card'))?.dataset.key;
      if (key) choose(key, !chosen.has(key), false);
    },
    get size() {
      return chosen.size;
    },
  };
}
