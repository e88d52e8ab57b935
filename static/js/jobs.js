/**
 * Earlier jobs: newest first, each with its ZIP and a delete that can be undone.
 *
 * @import { Job } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { isFinal, isRunning } from './core/store.js';
import { countText, jobText } from './core/words.js';
import { byId, el, icon, iconButton } from './dom.js';
import { hashOf, readPlace } from './place.js';
import { openDialog, setUpDialog } from './shell.js';
import { offerUndo } from './undo.js';

const REFRESH_MS = 4_000;
const PAGE = 50;
const MOST = 200; // the server's own limit

/** @param {Page} page */
export function createHistory(page) {
  const { client, t } = page;
  const { lang } = document.documentElement;
  const day = new Intl.DateTimeFormat(lang, { day: 'numeric', month: 'short' });
  const clock = new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' });
  const dialog = byId('jobs-dialog');
  const rows = byId('jobs-list');
  const more = byId('jobs-more');
  /** @type {Job[]} */ let jobs = [];
  /** @type {Set<string>} */ const deleted = new Set();
  let wanted = PAGE;
  let timer;
  setUpDialog(dialog);

  /** @param {Job} job */
  function row(job) {
    const { processed, total, failed } = job.progress;
    const side = el('div', { className: 'row-side' });
    if (processed > failed) {
      const label = t('downloadZipOf', { name: job.name });
      side.append(el('a', { className: 'icon-button', href: client.url.zip(job.id), title: label, 'aria-label': label }, icon('download')));
    }
    if (isFinal(job)) side.append(keepButton(job));
    side.append(iconButton('delete', t('deleteNamed', { name: job.name }), () => remove(job)));
    const link = el('a', { className: 'row-text', href: hashOf(job.id), onclick: () => dialog.close() },
      el('strong', { className: 'row-name' }, job.name),
      el('span', { className: 'small' }, `${jobText(job, false, t)} · ${countText(processed, total, failed, 0, t)}`),
      el('span', { className: 'small muted' }, when(job)));
    return el('li', { className: 'row', 'data-job': job.id, 'data-status': job.status }, link, side);
  }

  /** A job that has ended and has no day to go is kept for good. @param {Job} job */
  function keepButton(job) {
    const keep = Boolean(job.expires_at);
    const button = iconButton('keep', t(keep ? 'keepNamed' : 'letGo', { name: job.name }), () => page.attempt(async () => {
      await client.change(job.id, { keep });
      await refresh();
    }));
    button.setAttribute('aria-pressed', String(!keep));
    return button;
  }

  /** @param {Job} job */
  function when(job) {
    const kept = job.expires_at ? t('jobExpires', { when: day.format(new Date(job.expires_at)) }) : isFinal(job) && t('jobKept');
    const created = new Date(job.created_at);
    const today = created.toDateString() === new Date().toDateString();
    return [today ? '' : day.format(created), clock.format(created)].filter(Boolean).join(', ') + (kept ? ` · ${kept}` : '');
  }

  function draw() {
    const shown = jobs.filter(({ id }) => !deleted.has(id));
    const running = shown.filter(isRunning).length;
    byId('jobs-label').textContent = running ? t('jobsRunning', { n: running }) : t('jobs');
    if (!dialog.open) return;
    const focused = /** @type {HTMLElement|null} */ (rows.contains(document.activeElement) ? document.activeElement : null);
    const label = focused?.getAttribute('aria-label') ?? focused?.getAttribute('href');
    rows.replaceChildren(...shown.map(row));
    byId('jobs-empty').hidden = shown.length > 0;
    if (label) rows.querySelector(`[aria-label="${CSS.escape(label)}"],[href="${CSS.escape(label)}"]`)?.focus();
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const page = await client.jobs({ limit: wanted });
      jobs = page.jobs;
      more.hidden = !page.next || wanted >= MOST;
      draw();
    } catch {
      // the page's notice tells of a server that does not answer
    }
    if (dialog.open) timer = setTimeout(refresh, REFRESH_MS);
  }

  /** Gone from sight at once, from the server when the undo's time is up. @param {Job} job */
  function remove(job) {
    deleted.add(job.id);
    const { hash } = location;
    const from = readPlace()?.job === job.id ? { hash, top: scrollY, filter: byId('cards').dataset.filter } : null;
    if (from) location.hash = hashOf();
    draw();
    offerUndo(t('deleted', { name: job.name }), t('undo'), {
      commit: (leaving) => page.attempt(async () => {
        await client.deleteJob(job.id, leaving);
        await refresh();
      }),
      undo: () => {
        deleted.delete(job.id);
        draw();
        if (from && !readPlace()?.job) comeBack(page, from);
      },
    });
  }

  more.onclick = () => {
    wanted += PAGE;
    refresh();
  };
  dialog.addEventListener('close', () => clearTimeout(timer));

  return {
    refresh,
    remove,
    open() {
      openDialog(dialog);
      draw();
      refresh();
    },
  };
}

/** Back to where one was: the address, what was shown of the job, and how far down. @param {Page} page @param {{hash: string, top: number, filter?: string}} from */
function comeBack({ session }, { hash, top, filter }) {
  location.hash = hash;
  const stop = session.store.subscribe(({ order }) => {
    if (!order.length) return;
    stop();
    requestAnimationFrame(whenDrawn);
  });
  const whenDrawn = () => {
    if (byId('cards').childElementCount < session.store.get().order.length) return requestAnimationFrame(whenDrawn);
    byId('filters').querySelector(`[data-filter="${filter}"]`)?.click();
    scrollTo({ top });
  };
}
