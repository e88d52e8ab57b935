/**
 * The list of photos. A card is made once from the template, then only what changed is touched; changes are gathered
 * and drawn once a frame, in slices short enough to keep the page fluid.
 *
 * @import { Client, FileView, ModelProgress, State } from './core/types.js'
 * @import { Card, Page } from './page.js'
 */

import { canRetry, groupOf, usesModel } from './core/store.js';
import { fileText } from './core/words.js';
import { byId, oncePerFrame, setIcon, setText } from './dom.js';

/** A photo that cannot be read has no thumbnail to ask for. */
const UNREADABLE = /image|format|empty|archive|pixels|large/;
const ICONS = { done: 'done', look: 'look', failed: 'failed', cancelled: 'cancelled' };
const SLICE_MS = 12;

/** @returns {Card} */
function createCard() {
  const element = byId('card-template').content.firstElementChild.cloneNode(true);
  const [thumb, pick, name, foot, why, tries] = element.children;
  const [state, stage, get] = foot.children;
  const image = thumb.firstElementChild;
  image.onload = () => image.classList.add('loaded');
  image.onerror = () => image.classList.remove('loaded');
  const [retry, other] = tries.children;
  return { element, file: null, part: { thumb, pick, image, name, state, stage, get, why, tries, retry, other } };
}

/** @param {Card} card @param {FileView} file @param {ModelProgress|null} model @param {string} jobId @param {Page} page */
function paintCard(card, file, model, jobId, page) {
  const { t } = page;
  const { element, part } = card;
  const before = card.file;
  card.file = file;
  setText(part.stage, fileText(file, model, t));
  if (before?.name !== file.name) paintName(part, file, t);
  if (!before || before.id !== file.id || before.status !== file.status || before.error !== file.error) {
    paintState(element, part, file, page, jobId);
  }
  if (before?.warnings !== file.warnings || before?.error !== file.error) paintReason(part, file);
}

/** @param {FileView} file */
function paintName(part, file, t) {
  part.name.textContent = file.name;
  part.name.title = file.name;
  part.thumb.setAttribute('aria-label', t('open', { name: file.name }));
  part.pick.setAttribute('aria-label', t('select', { name: file.name }));
}

/** @param {any} element @param {any} part @param {FileView} file @param {Page} page @param {string} jobId */
function paintState(element, part, file, { client, session, t }, jobId) {
  const group = groupOf(file);
  element.dataset.id = file.id ?? '';
  element.dataset.status = file.status;
  element.dataset.group = group === 'look' ? 'done look' : group;
  part.thumb.disabled = !file.id;
  setIcon(part.state, group === 'active' ? (file.status === 'processing' ? 'active' : 'waiting') : ICONS[group]);
  part.get.hidden = file.status !== 'completed';
  if (file.id && file.status === 'completed') {
    part.get.href = `${client.url.result(jobId, file.id)}?download=1`;
    part.get.setAttribute('aria-label', t('download', { name: file.name }));
    part.get.title = t('download', { name: file.name });
  }
  part.pick.hidden = !file.id;
  part.tries.hidden = !canRetry(file);
  if (!part.tries.hidden) {
    part.retry.textContent = t('retry');
    part.retry.setAttribute('aria-label', t('retryNamed', { name: file.name }));
    part.other.textContent = t('otherModel');
    part.other.hidden = !file.id || !isReadable(file) || !usesModel(file, session.store.get().job);
  }
  paintPicture(part.image, file, client, jobId);
}

/** @param {FileView} file */
const isReadable = (file) => file.status !== 'failed' || !UNREADABLE.test(file.error?.code ?? '');

/** @param {FileView} file @param {Client} client */
function paintPicture(image, file, client, jobId) {
  if (!file.id || !isReadable(file)) return;
  const src = client.url.thumbnail(jobId, file.id, file.status === 'completed' ? { v: file.revision } : { of: 'source' });
  if (image.getAttribute('src') !== src) image.src = src;
}

/** @param {FileView} file */
function paintReason(part, file) {
  const reasons = file.error ? [file.error.message, file.error.hint] : file.warnings.map(({ message }) => message);
  const text = reasons.filter(Boolean).join(' ');
  part.why.hidden = !text;
  setText(part.why, text);
}

/** @param {Page} page */
export function createCards(page) {
  const list = byId('cards');
  /** @type {Map<string, Card>} */ let cards = new Map();
  /** @type {Set<string>} */ const pending = new Set();
  /** @type {State['files']|null} */ let shown = null;
  /** @type {State['model']} */ let model = null;

  function gather(state) {
    if (state.files !== shown) {
      shown = state.files;
      cards = new Map();
      pending.clear();
      list.replaceChildren();
      for (const key of state.order) pending.add(key);
    }
    for (const key of state.changed) pending.add(key);
    if (state.model !== model) {
      model = state.model;
      for (const [key, card] of cards) if (card.file?.stage === 'downloading the model') pending.add(key);
    }
    if (pending.size) draw();
  }

  const draw = oncePerFrame(() => {
    const state = page.session.store.get();
    const until = performance.now() + SLICE_MS;
    const fresh = document.createDocumentFragment();
    for (const key of pending) {
      if (performance.now() > until) break;
      pending.delete(key);
      drawOne(state, key, fresh);
    }
    list.append(fresh);
    if (pending.size) draw();
  });

  function drawOne(state, key, fresh) {
    const file = state.files.get(key);
    let card = cards.get(key);
    if (!file) {
      card?.element.remove();
      cards.delete(key);
      return;
    }
    if (!card) {
      card = createCard();
      card.element.dataset.key = key;
      cards.set(key, card);
      fresh.append(card.element);
    }
    paintCard(card, file, state.model, state.job?.id ?? '', page);
  }

  list.addEventListener('click', (event) => {
    const file = cards.get(event.target.closest('.card')?.dataset.key)?.file;
    if (!file || event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest('.thumb, .other') && file.id) page.openFile(file.id);
    if (event.target.closest('.retry')) page.retryFile(file);
  });

  page.session.store.subscribe(gather);
  gather(page.session.store.get());

  return {
    /** Moves the focus from photo to photo. */
    step(by) {
      const thumbs = [...list.querySelectorAll('.thumb')].filter((thumb) => thumb.offsetParent !== null);
      const at = thumbs.indexOf(document.activeElement);
      thumbs[at < 0 ? (by > 0 ? 0 : thumbs.length - 1) : at + by]?.focus();
    },
  };
}
