/**
 * The list of photos. A card is made once from the template, then only what changed is touched; changes are gathered
 * and drawn once a frame, in slices short enough to keep the page fluid.
 *
 * @import { FileView, Job, ModelProgress, State, Translate } from './core/types.js'
 * @import { Card, Page } from './page.js'
 */

import { canRetry, groupOf, hasResult, isReadable, largestOf, mayTryOther, reasonsOf, shownKeys } from './core/store.js';
import { tagsOf } from './core/reasons.js';
import { fileText } from './core/words.js';
import { withDeskTexts } from './desk-texts.js';
import { byId, el, oncePerFrame, setText } from './dom.js';

const SLICE_MS = 12;

/** The card of the template, without the spaces between its elements: they would be half of what is copied. */
function cardTemplate() {
  const template = byId('card-template').content.firstElementChild;
  const texts = document.createTreeWalker(template, NodeFilter.SHOW_TEXT);
  /** @type {any[]} */ const spaces = [];
  while (texts.nextNode()) spaces.push(texts.currentNode);
  for (const space of spaces) space.remove();
  return template;
}

/** What few cards have is made when they have it: five hundred come at once. @param {any} template @returns {Card} */
function createCard(template) {
  const element = template.cloneNode(true);
  const thumb = element.firstChild;
  const pick = thumb.nextSibling;
  const name = pick.nextSibling;
  const foot = name.nextSibling;
  return {
    element, file: null, seen: false,
    part: { thumb, pick, image: thumb.firstChild, name, stage: foot.lastChild, foot, src: '', caption: null, get: null, why: null, tries: null },
  };
}

/** @typedef {Page & {openLabel: string[], selectLabel: string[], see: (card: Card) => void}} Desk  with what all cards share */

/** @param {Card} card @param {FileView} file @param {ModelProgress|null} model @param {string} jobId @param {Desk} page */
function paintCard(card, file, model, jobId, page) {
  const { t } = page;
  const { element, part } = card;
  const before = card.file;
  card.file = file;
  setText(part.stage, fileText(file, model, t));
  if (before?.name !== file.name) paintName(part, file, page);
  if (before?.number !== file.number || before?.caption !== file.caption) paintCaption(part, file);
  if (!before || before.id !== file.id || before.status !== file.status || before.revision !== file.revision || before.error !== file.error || groupOf(before) !== groupOf(file)) {
    paintState(card, file, page, jobId);
  }
  if (before?.warnings !== file.warnings || before?.error !== file.error || before?.review !== file.review || before?.accepted !== file.accepted) paintReason(card, file, page);
}

/** Number and caption, where a list of names or a person gave it one. @param {any} part @param {FileView} file */
function paintCaption(part, { number, caption }) {
  part.caption?.remove();
  const text = [number, caption].filter(Boolean).join(' · ');
  part.caption = text ? el('p', { className: 'caption', dir: 'auto', title: text }, text) : null;
  if (part.caption) part.name.after(part.caption);
}

/** @param {any} part @param {FileView} file @param {Desk} page */
function paintName(part, { name }, { openLabel, selectLabel }) {
  part.name.textContent = name;
  part.name.title = name;
  part.thumb.setAttribute('aria-label', openLabel.join(name));
  part.pick.setAttribute('aria-label', selectLabel.join(name));
}

/** @param {Card} card @param {FileView} file @param {Desk} page @param {string} jobId */
function paintState(card, file, page, jobId) {
  const { element, part } = card;
  const { client, session, t } = page;
  const group = groupOf(file);
  element.setAttribute('data-id', file.id ?? ''); // `dataset` takes three times as long
  element.setAttribute('data-status', file.status);
  element.setAttribute('data-group', group === 'look' ? 'done look' : group);
  part.thumb.disabled = !file.id;
  part.get?.remove();
  part.get = file.id && file.status === 'completed' ? linkOf(file, `${client.url.result(jobId, file.id, largestOf(file, session.store.get().job))}?download=1`, t) : null;
  if (part.get) part.foot.append(part.get);
  part.pick.hidden = !file.id;
  part.tries?.remove();
  part.tries = canRetry(file) || group === 'look' ? triesOf(file, session.store.get().job, t) : null;
  if (part.tries) element.append(part.tries);
  paintPicture(card, file, page, jobId);
}

/** @param {FileView} file @param {string} href @param {Translate} t */
function linkOf(file, href, t) {
  const label = t('download', { name: file.name });
  return el('a', { className: 'icon-button get', href, download: '', title: label, 'aria-label': label }, el('i', {}));
}

/** Buttons of the few that failed. @param {FileView} file @param {Job|null} job @param {Translate} t */
function triesOf(file, job, t) {
  const button = (name, text, label) => el('button', { className: `${name} small`, 'aria-label': label }, text);
  if (!canRetry(file)) return el('div', { className: 'tries' }, button('button fine', t('looksFine'), `${t('looksFine')}: ${file.name}`));
  return el('div', { className: 'tries' }, button('button retry', t('retry'), t('retryNamed', { name: file.name })),
    mayTryOther(file, job) && button('quiet other', t('otherModel'), `${t('otherModel')}: ${file.name}`));
}

/** Asked for when the card is about to come into sight. @param {Card} card @param {FileView} file @param {Desk} page @param {string} jobId */
function paintPicture(card, file, page, jobId) {
  if (!file.id || !isReadable(file)) return;
  if (!card.seen) return page.see(card);
  const { part } = card;
  const src = page.client.url.thumbnail(jobId, file.id, hasResult(file) ? { v: file.revision || undefined } : { of: 'source' });
  if (part.src !== src) page.show(part.image, src);
  part.src = src;
}

/** Of a failure the sentence; of what is to be looked at short tags, and the sentences when one asks. @param {Card} card @param {FileView} file @param {Desk} page */
function paintReason({ element, part }, file, page) {
  const tags = tagsOf(file);
  element.setAttribute('data-tags', tags.join(' '));
  if (!part.why && !file.error && !file.warnings.length && !file.review?.length) return;
  const text = file.error || tags.length ? reasonsOf(file).join(' ') : '';
  part.why?.remove();
  part.why = null;
  if (text && file.error) part.why = el('p', { className: 'why' }, text);
  else if (text) {
    part.why = el('details', { className: 'why' },
      el('summary', {}, ...tags.map((tag) => el('span', { className: 'reason-tag' }, page.t(`tag_${tag}`)))), el('p', {}, text));
  }
  if (part.why) part.foot.after(part.why);
}

/** @param {Page} page */
export function createCards(page) {
  const list = byId('cards');
  const template = cardTemplate();
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const card = isIntersecting && cards.get(target.getAttribute('data-key') ?? '');
      if (!card) continue;
      sight.unobserve(target);
      card.seen = true;
      if (card.file) paintPicture(card, card.file, desk, page.session.store.get().job?.id ?? '');
    }
  }, { rootMargin: '800px' });
  const labelled = (/** @type {string} */ key) => page.t(key, { name: '\0' }).split('\0');
  /** @type {Desk} */
  const desk = { ...page, t: withDeskTexts(page.t), openLabel: labelled('open'), selectLabel: labelled('select'), see: ({ element }) => sight.observe(element) };
  /** @type {Map<string, Card>} */ let cards = new Map();
  /** @type {Set<string>} */ const pending = new Set();
  /** @type {State['files']|null} */ let shown = null;
  /** @type {State['model']} */ let model = null;
  /** @type {State['order']} */ let order = [];

  function gather(state) {
    if (state.files !== shown) {
      shown = state.files;
      cards = new Map();
      pending.clear();
      list.replaceChildren();
      sight.disconnect();
      for (const key of state.order) pending.add(key);
    }
    for (const key of state.changed) pending.add(key);
    if (state.model !== model) {
      model = state.model;
      for (const [key, card] of cards) if (card.file?.stage === 'downloading the model') pending.add(key);
    }
    if (pending.size || state.order !== order) draw();
  }

  const draw = oncePerFrame(() => {
    const state = page.session.store.get();
    const until = performance.now() + SLICE_MS;
    const fresh = document.createDocumentFragment();
    let drawn = 0;
    for (const key of pending) {
      if (++drawn % 8 === 0 && performance.now() > until) break;
      pending.delete(key);
      drawOne(state, key, fresh);
    }
    const some = fresh.hasChildNodes();
    list.append(fresh);
    if (pending.size) draw();
    else if (state.order !== order || some && list.lastElementChild?.dataset.key !== state.order.at(-1)) arrange(list.dataset.filter); // one came back
    if (!pending.size) order = state.order;
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
      card = createCard(template);
      card.element.setAttribute('data-key', key);
      cards.set(key, card);
      fresh.appendChild(card.element);
    }
    paintCard(card, file, state.model, state.job?.id ?? '', desk);
  }

  list.addEventListener('load', ({ target }) => {
    target.classList.toggle('wide', 3 * target.naturalWidth > 4 * target.naturalHeight); // than its 4:3: a ground lies behind the picture alone
    target.classList.add('loaded');
  }, true);
  list.addEventListener('error', (event) => event.target.classList.remove('loaded'), true);
  list.addEventListener('click', (event) => {
    const file = cards.get(event.target.closest('.card')?.dataset.key)?.file;
    if (!file || event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest('.thumb, .other') && file.id) page.openFile(file.id);
    if (event.target.closest('.retry')) page.retryFile(file);
    if (event.target.closest('.fine')) page.accept(file);
  });

  page.session.store.subscribe(gather);
  gather(page.session.store.get());

  /** The order of a filter; what it does not show follows. @param {string} filter */
  function arrange(filter) {
    const state = page.session.store.get();
    const keys = filter === 'look' ? new Set([...shownKeys(state, filter), ...state.order]) : state.order;
    const wanted = [...keys].map((key) => cards.get(key)?.element).filter(Boolean);
    if (wanted.some((element, index) => list.children[index] !== element)) list.append(...wanted);
  }

  return {
    arrange,
    /** The photo that has the focus. */
    focused() {
      const card = document.activeElement?.closest('.card');
      return cards.get(card?.getAttribute('data-key') ?? '')?.file ?? null;
    },
    /** Moves the focus from photo to photo. */
    step(by) {
      const thumbs = [...list.querySelectorAll('.thumb')].filter((thumb) => thumb.offsetParent !== null);
      const at = thumbs.indexOf(document.activeElement);
      thumbs[at < 0 ? (by > 0 ? 0 : thumbs.length - 1) : at + by]?.focus();
    },
  };
}
