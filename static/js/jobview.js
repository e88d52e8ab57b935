/**
 * The bar above the photos: counts, progress, time left, what can be done; and the filter.
 *
 * @import { Job, Recipe, State } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { TAGS, tagsOf } from './core/reasons.js';
import { canRetry, isFinal, shownKeys as keysShown, totals } from './core/store.js';
import { countText, jobText, stageText } from './core/words.js';
import { withDeskTexts } from './desk-texts.js';
import { byId, el, oncePerFrame, setText } from './dom.js';
import { namesLabel, openNames } from './names.js';

const RUNNING = new Set(['receiving', 'queued', 'processing', 'paused']);
const PORTRAITS = new Set(['crop_face', 'id_photo']); // what people print

/** @param {State['files']} files */
const undoableIds = (files) => [...files.values()].flatMap(({ id, can_undo }) => (id && can_undo ? [id] : []));

/** @param {Page} page @param {{chooseNew: () => void, deleteJob: (job: Job) => void, recipe: () => Recipe, print: () => void, arrange: (filter: string) => void, acceptAll: (ids: string[]) => void}} actions */
export function createJobView(page, { chooseNew, deleteJob, recipe, print, arrange, acceptAll }) {
  const { session } = page;
  const t = withDeskTexts(page.t);
  const part = Object.fromEntries(['name', 'count', 'progress', 'stage', 'left', 'seal', 'retry', 'undo', 'redo', 'names', 'print', 'pause', 'cancel', 'delete', 'new']
    .map((name) => [name, byId(`job-${name}`)]));
  const list = byId('cards');
  const filters = [...byId('filters').querySelectorAll('button')];
  const zip = byId('download-zip');
  /** @type {State['files']|null} */ let shownFiles = null;
  /** @type {State['files']|null} */ let viewedFiles = null;
  let said = { job: '', quarter: 0, final: false };

  const reasons = el('div', { className: 'filters reasons', id: 'reasons', role: 'group', 'aria-label': t('reasons'), hidden: true });
  const fine = el('button', { className: 'button small', id: 'fine-all', onclick: () => acceptAll(lookedAt()) });
  byId('filters').after(reasons);

  const draw = oncePerFrame(() => {
    const state = session.store.get();
    const shown = state.job !== null || state.order.length > 0;
    const view = shown ? 'job' : 'empty';
    const main = byId('main');
    const loading = main.dataset.view === 'loading' && !shown;
    if (!loading) main.dataset.view = view;
    byId('job').hidden = !shown;
    byId('empty').hidden = shown || loading;
    byId('applies-next').hidden = !shown;
    if (shown && state.files !== viewedFiles) {
      viewedFiles = state.files;
      comeIntoView();
    }
    if (state.files !== shownFiles) setFilter('all');
    shownFiles = state.files;
    drawBar(state);
    drawActions(state);
    drawFilters(state);
    drawZip(state);
    say(state);
  });

  /** On a phone the photos lie below what to make of them. */
  function comeIntoView() {
    if (matchMedia('(max-width: 860px)').matches) byId('job').scrollIntoView();
  }

  function drawBar(state) {
    const { job, counts } = state;
    const { total, processed, percentage } = totals(state);
    setText(part.name, job?.name ?? '');
    setText(part.count, countText(processed, total, counts.failed, counts.look, t));
    part.progress.value = percentage;
    part.progress.dataset.status = job?.status ?? '';
    setText(part.stage, job?.status === 'processing' && state.stage && total === 1
      ? stageText(state.stage, state.model, t) : jobText(job, session.sending, t));
    setText(part.left, job?.status === 'processing' ? page.format.left(job.eta) : '');
    document.title = shownTitle(state, percentage);
  }

  function shownTitle({ job }, percentage) {
    if (!job) return t('app');
    return isFinal(job) ? `${job.name} – ${t('app')}` : `${Math.floor(percentage)} % · ${job.name}`;
  }

  function drawActions({ job, counts, files }) {
    const status = job?.status ?? '';
    part.seal.hidden = status !== 'receiving' || session.sending;
    part.retry.hidden = !(counts.failed + counts.cancelled) || !isFinal(job) || ![...files.values()].some(canRetry);
    setText(part.retry, t(counts.failed ? 'retryFailed' : 'retryRest'));
    const undoable = undoableIds(files).length;
    part.undo.hidden = !undoable;
    setText(part.undo, t('undoRedo', { n: undoable }));
    part.redo.hidden = !isFinal(job) || !counts.done && !counts.look;
    part.print.hidden = part.redo.hidden || !job.recipe.operations.some(({ op }) => PORTRAITS.has(op));
    part.names.hidden = !job?.names;
    if (job?.names) setText(part.names, namesLabel(page));
    part.pause.hidden = status !== 'queued' && status !== 'processing' && status !== 'paused';
    setText(part.pause, t(status === 'paused' ? 'resume' : 'pause'));
    part.cancel.hidden = !RUNNING.has(status);
    part.delete.hidden = !isFinal(job);
    part.new.hidden = !job;
  }

  function drawFilters({ order, counts }) {
    const numbers = { all: order.length, done: counts.done + counts.look, look: counts.look, failed: counts.failed };
    for (const button of filters) {
      const name = /** @type {keyof typeof numbers} */ (button.dataset.filter);
      setText(button.querySelector('b'), String(numbers[name]));
      if (button.getAttribute('aria-pressed') === 'true') byId('nothing').hidden = numbers[name] > 0;
    }
    byId('filters').hidden = order.length < 2;
    drawReasons();
  }

  /** What is to be looked at, by reason; one of them alone, where that is chosen. */
  function drawReasons() {
    const { files, counts } = session.store.get();
    reasons.hidden = list.dataset.filter !== 'look' || !counts.look;
    if (reasons.hidden) {
      if (list.dataset.tag) chooseTag('');
      return;
    }
    const numbers = Object.fromEntries(TAGS.map((tag) => [tag, 0]));
    for (const file of files.values()) for (const tag of tagsOf(file)) numbers[tag]++;
    const shown = TAGS.filter((tag) => numbers[tag] || tag === list.dataset.tag);
    if (list.dataset.tag && !numbers[list.dataset.tag]) return chooseTag('');
    const wanted = shown.map((tag) => `${tag} ${numbers[tag]}`).join();
    if (reasons.dataset.shown !== wanted) {
      reasons.dataset.shown = wanted;
      const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset.tag;
      reasons.replaceChildren(fine, ...['', ...shown].map((tag) => el('button', { 'data-tag': tag, onclick: () => chooseTag(tag) },
        tag ? `${t(`tag_${tag}`)} ` : t('everyReason'), tag && el('b', {}, String(numbers[tag])))));
      if (focused !== undefined) reasons.querySelector(`[data-tag="${focused}"]`)?.focus();
    }
    for (const button of reasons.querySelectorAll('[data-tag]')) button.setAttribute('aria-pressed', String(button.dataset.tag === (list.dataset.tag ?? '')));
    setText(fine, t('fineAll', { n: lookedAt().length }));
  }

  /** @param {string} tag empty: every reason */
  function chooseTag(tag) {
    if (tag) list.dataset.tag = tag;
    else delete list.dataset.tag;
    draw();
    page.announce(t('sayShown', { n: shownKeys().length }));
  }

  /** Ids of what the lane shows. */
  const lookedAt = () => shownKeys().flatMap((key) => session.store.get().files.get(key)?.id ?? []);

  function drawZip({ job, counts }) {
    const some = counts.done + counts.look > 0;
    zip.hidden = !job;
    if (job && some) zip.href = page.client.url.zip(job.id);
    else zip.removeAttribute('href');
    zip.toggleAttribute('aria-disabled', !some);
    if (!some) zip.setAttribute('role', 'link');
    else zip.removeAttribute('role');
    setText(zip.querySelector('span'), t(!job || isFinal(job) ? 'downloadZip' : 'downloadZipSoFar'));
  }

  /** A quarter done, and the end, are said aloud. */
  function say(state) {
    const { job, counts } = state;
    if (!job) return;
    const final = isFinal(job);
    const quarter = Math.floor(totals(state).percentage / 25);
    if (said.job !== job.id) {
      said = { job: job.id, quarter, final };
      return;
    }
    if (final && !said.final) {
      page.announce(job.status === 'cancelled' ? t('sayCancelled')
        : t('sayFinished', { done: counts.done + counts.look, failed: counts.failed, look: counts.look }));
    } else if (!final && quarter > said.quarter && quarter < 4) page.announce(t('sayPercent', { n: quarter * 25 }));
    said = { job: job.id, quarter, final };
  }

  function setFilter(name) {
    list.dataset.filter = name;
    for (const button of filters) button.setAttribute('aria-pressed', String(button.dataset.filter === name));
    arrange(name);
    draw();
  }

  function filter(name) {
    setFilter(name);
    page.announce(t('sayShown', { n: shownKeys().length }));
  }

  /** The photos that the filter lets through, in order. */
  function shownKeys() {
    const state = session.store.get();
    const { filter, tag } = list.dataset;
    const keys = keysShown(state, filter);
    const has = (/** @type {string} */ key) => tagsOf(/** @type {any} */ (state.files.get(key))).some((one) => one === tag);
    return tag ? keys.filter(has) : keys;
  }

  const pauseOrResume = () => page.attempt(() => session.act(session.store.get().job?.status === 'paused' ? 'resume' : 'pause'));
  const retryAll = () => page.attempt(() => session.retry());
  part.seal.onclick = () => page.attempt(() => session.seal());
  part.retry.onclick = retryAll;
  part.redo.onclick = () => page.attempt(() => session.again((id) => page.client.reprocess(id, recipe())));
  part.undo.onclick = () => page.attempt(async () => {
    await session.again((id) => page.client.undo(id, undoableIds(session.store.get().files)));
    page.announce(t('undone'));
  });
  part.print.onclick = () => print();
  part.names.onclick = () => page.attempt(() => openNames(page));
  part.pause.onclick = pauseOrResume;
  part.cancel.onclick = () => page.attempt(() => session.act('cancel'));
  part.delete.onclick = () => deleteJob(/** @type {Job} */ (session.store.get().job));
  part.new.onclick = chooseNew;
  for (const button of filters) button.onclick = () => filter(button.dataset.filter ?? 'all');
  session.store.subscribe(draw);
  draw();

  return {
    filter,
    comeIntoView,
    shownKeys,
    draw,
    pauseOrResume: () => !part.pause.hidden && pauseOrResume(),
    retryAll: () => !part.retry.hidden && retryAll(),
  };
}
