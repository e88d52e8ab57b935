/**
 * Photos from addresses on the web, which the server fetches; fetched itself where the server does that. A pasted or
 * dropped address is taken too.
 *
 * @import { Job, Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { token } from './core/client.js';
import { byId, el, setText } from './dom.js';
import { noticeOf } from './notices.js';

/** @param {string} text */
const urlsIn = (text) => text.split(/\s+/).filter((word) => /^https?:\/\/./i.test(word));

/** @param {Page} page @param {{recipe: () => Recipe, started: (id: string) => void}} options */
export function createUrls(page, { recipe, started }) {
  const { t, notices } = page;
  const field = el('input', { type: 'text', id: 'urls', inputMode: 'url', autocomplete: 'off', placeholder: 'https://', 'aria-describedby': 'urls-fault' });
  const fault = el('p', { className: 'small missing', id: 'urls-fault', role: 'status' });
  const form = el('form', { className: 'urls', novalidate: '', onsubmit: (event) => {
    event.preventDefault();
    send(field.value);
  } }, el('label', { for: 'urls', className: 'small muted' }, t('urls')),
  el('span', {}, field, el('button', { type: 'submit', className: 'button' }, t('fetchUrls'))), fault);
  byId('empty').querySelector('.drop').append(form);

  /** @param {string} text */
  async function send(text) {
    const urls = urlsIn(text);
    setText(fault, urls.length ? '' : t('noUrl'));
    field.setAttribute('aria-invalid', String(!urls.length));
    if (!urls.length) return;
    notices.set('refused', null);
    try {
      const job = await page.client.fetchUrls({ recipe: recipe(), name: urls.length > 1 ? t('jobNameUrls', { n: urls.length }) : undefined }, urls, token());
      field.value = '';
      page.announce(t('sayAdded', { n: urls.length }));
      started(job.id);
    } catch (error) {
      notices.set('refused', { ...noticeOf(error, t('noticeRefused')), dismiss: () => notices.set('refused', null) });
    }
  }

  addEventListener('paste', (event) => {
    const { target, clipboardData } = event;
    if (/** @type {Element} */ (target).closest?.('input, textarea') || clipboardData?.files.length) return;
    const urls = urlsIn(clipboardData?.getData('text/plain') ?? '');
    if (urls.length) send(urls.join(' '));
  });
  let own = false; // a picture of this page, dragged about
  addEventListener('dragstart', () => { own = true; });
  addEventListener('dragend', () => { own = false; });
  addEventListener('dragover', (event) => !own && event.dataTransfer?.types.includes('text/uri-list') && event.preventDefault());
  addEventListener('drop', (event) => {
    const text = own || event.dataTransfer?.files.length ? '' : event.dataTransfer?.getData('text/uri-list');
    if (!text) return;
    event.preventDefault();
    send(text);
  });
}
