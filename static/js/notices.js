/**
 * The notices above the photos, one for each subject, and those that follow from the state:
 * a model on its way, a fallback engine, a lost connection, an unsealed job.
 *
 * @import { Translate } from './core/types.js'
 * @import { Notice, Page } from './page.js'
 */

import { byId, el, icon, iconButton, oncePerFrame, setText } from './dom.js';

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

/** @param {Page} page @param {() => void} openModels */
export function createPageNotices(page, openModels) {
  const { session, models, notices, t, format } = page;
  const toModels = { label: t('models'), act: openModels };

  /** The download that the job waits for, else any. */
  function downloading() {
    const { model } = session.store.get();
    if (model) return { name: model.name, progress: model };
    const found = models.get().models.find(({ state }) => state === 'downloading');
    return found ? { name: found.name, progress: found.progress } : null;
  }

  /** @returns {Notice|null} */
  function modelNotice() {
    const { auto } = models.get();
    const one = downloading();
    if (one) {
      const { received = 0, total = null, percentage = null } = one.progress ?? {};
      const detail = total ? t('noticeModelDetail', { received: format.bytes(received), total: format.bytes(total) })
        : t('noticeModelUnknown', { received: format.bytes(received) });
      return { kind: 'info', title: t('noticeModel', { name: models.title(one.name) }), detail, percentage };
    }
    if (models.find(auto)?.kind !== 'classical') return null;
    const failed = models.get().models.find(({ state, kind }) => state === 'failed' && !kind.startsWith('face'));
    const fallback = t('noticeFallback', { name: models.title(auto) });
    if (!failed) return { kind: 'look', title: fallback, detail: t('noticeFallbackDetail'), actions: [toModels] };
    return {
      kind: 'look', title: `${t('noticeModelFailed', { name: failed.title })} ${fallback}`,
      detail: [failed.error?.message, failed.error?.hint].filter(Boolean).join(' '),
      actions: [{ label: t('tryAgain'), act: () => page.attempt(() => models.download(failed.name)) }, toModels],
    };
  }

  /** @returns {Notice|null} */
  function fallbackNotice() {
    const { counts, files } = session.store.get();
    if (!counts.fallback) return null;
    const warnings = [...files.values()].flatMap((file) => file.warnings);
    const { message } = warnings.find(({ code }) => code.startsWith('fallback')) ?? { message: '' };
    return { kind: 'look', title: t('noticeJobFallback', { n: counts.fallback }), detail: message, actions: [toModels] };
  }

  /** @returns {Notice|null} */
  function linkNotice() {
    const { link } = session.store.get();
    if (link === 'offline') return { kind: 'look', title: t('noticeOffline'), detail: t('noticeOfflineDetail') };
    return link === 'polling' ? { kind: 'info', title: t('noticePolling') } : null;
  }

  const draw = oncePerFrame(() => {
    const { job } = session.store.get();
    const model = modelNotice();
    notices.set('model', model);
    notices.set('fallback', model?.kind === 'look' ? null : fallbackNotice());
    notices.set('link', linkNotice());
    notices.set('receiving', job?.status === 'receiving' && !session.holdsPhotos && !session.sending
      ? { kind: 'info', title: t('noticeReceiving') } : null);
  });

  session.store.subscribe(draw);
  models.subscribe(draw);
}
