/**
 * The notices above the photos, one for each subject.
 *
 * @import { Translate } from './core/types.js'
 * @import { Notice } from './page.js'
 */

import { byId, el, icon, iconButton, setText } from './dom.js';

/** @param {Translate} t */
export function createNotices(t) {
  const holder = byId('notices');
  /** @type {Map<string, {element: any, shape: string}>} */ const shown = new Map();

  /** @param {Notice} notice */
  function draw({ kind, title, detail, percentage, actions = [], dismiss }) {
    return el('div', { className: `notice ${kind}` },
      icon(kind),
      el('div', { className: 'notice-text' },
        el('p', { className: 'notice-title' }, title),
        el('p', { className: 'notice-detail small', hidden: !detail }, detail ?? ''),
        percentage === undefined ? null : el('progress', { max: 100, 'aria-label': title, ...(percentage === null ? {} : { value: percentage }) })),
      el('div', { className: 'notice-actions' },
        ...actions.map(({ label, act }) => el('button', { type: 'button', className: 'button', onclick: act }, label)),
        dismiss ? iconButton('close', t('dismiss'), dismiss) : null));
  }

  return {
    /** @param {Notice|null} notice null takes it away */
    set(subject, notice) {
      const old = shown.get(subject);
      if (!notice) {
        old?.element.remove();
        shown.delete(subject);
        return;
      }
      const { title, kind, percentage, actions = [] } = notice;
      const shape = [kind, title, percentage === undefined || percentage === null, ...actions.map(({ label }) => label)].join('|');
      if (old?.shape === shape) {
        setText(old.element.querySelector('.notice-detail'), notice.detail ?? '');
        if (percentage !== undefined && percentage !== null) old.element.querySelector('progress').value = percentage;
        return;
      }
      const element = draw(notice);
      element.dataset.subject = subject;
      if (old) old.element.replaceWith(element);
      else holder.append(element);
      shown.set(subject, { element, shape });
    },
  };
}

/** @param {unknown} error @param {string} title @returns {Notice} */
export function noticeOf(error, title) {
  const { message, hint, errors = [] } = /** @type {any} */ (error);
  const fields = errors.map((field) => field.detail ?? field.message).filter(Boolean);
  return { kind: 'failed', title, detail: [message, ...fields, hint].filter(Boolean).join(' ') };
}
