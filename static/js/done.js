/**
 * Word of a job's end for whoever looks elsewhere: the title says it, and a notification where that was asked for. Fetched
 * with the first photos.
 *
 * @import { Page } from './page.js'
 */

import { isFinal } from './core/store.js';
import { byId, el } from './dom.js';
import { recall, remember } from './shell.js';

const ASKED = 'notify';

/** @param {Page} page */
export function createDone({ session, t }) {
  const can = 'Notification' in window && window.isSecureContext && Notification.permission !== 'denied';
  const button = el('button', { className: 'quiet', id: 'job-notify', hidden: true, 'aria-pressed': 'false', onclick: toggle }, t('notifyWhenDone'));
  let known = { id: '', final: true };
  byId('job').querySelector('.actions')?.append(button);

  const wanted = () => can && Notification.permission === 'granted' && recall(ASKED) === true;

  async function toggle() {
    const granted = Notification.permission === 'granted' || await Notification.requestPermission() === 'granted';
    remember(ASKED, granted && recall(ASKED) !== true);
    draw();
  }

  function draw() {
    const { job } = session.store.get();
    const final = !job || isFinal(job);
    button.hidden = final || !can;
    button.setAttribute('aria-pressed', String(wanted()));
    if (job && known.id === job.id && final && !known.final && document.hidden) tell();
    known = { id: job?.id ?? '', final };
  }

  function tell() {
    const { job, counts } = session.store.get();
    const name = job?.name ?? '';
    const text = t('sayFinished', { done: counts.done + counts.look, failed: counts.failed, look: counts.look });
    document.title = `✓ ${name} – ${t('app')}`; // the page's own comes with the next picture, and a hidden tab draws none
    if (!wanted()) return;
    const shown = new Notification(name, { body: text, tag: job?.id });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  }

  session.store.subscribe(draw);
  draw();
}
