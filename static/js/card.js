/**
 * One photo's card: made once from the template, then only what changed is touched.
 *
 * @import { Client, FileView, ModelProgress, Translate } from './core/types.js'
 * @import { Card, Page } from './page.js'
 */

import { groupOf } from './core/store.js';
import { byId, setIcon, setText } from './dom.js';
import { fileText } from './statustext.js';

/** A photo that cannot be read has no thumbnail to ask for. */
const UNREADABLE = /image|format|empty|archive|pixels|large/;
const ICONS = { done: 'done', look: 'look', failed: 'failed', cancelled: 'cancelled' };

/** @returns {Card} */
export function createCard() {
  const element = byId('card-template').content.firstElementChild.cloneNode(true);
  const [thumb, name, foot, why, retry] = element.children;
  const [state, stage, get] = foot.children;
  const image = thumb.firstElementChild;
  image.onload = () => image.classList.add('loaded');
  image.onerror = () => image.classList.remove('loaded');
  return { element, file: null, part: { thumb, image, name, state, stage, get, why, retry } };
}

/** @param {Card} card @param {FileView} file @param {ModelProgress|null} model @param {string} jobId @param {Page} page */
export function paintCard(card, file, model, jobId, page) {
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
}

/** @param {any} element @param {any} part @param {FileView} file @param {Page} page @param {string} jobId */
function paintState(element, part, file, { client, t }, jobId) {
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
  part.retry.hidden = group !== 'failed' || file.error?.code === 'refused';
  if (!part.retry.hidden) {
    part.retry.textContent = t('retry');
    part.retry.setAttribute('aria-label', t('retryNamed', { name: file.name }));
  }
  paintPicture(part.image, file, client, jobId);
}

/** @param {FileView} file @param {Client} client */
function paintPicture(image, file, client, jobId) {
  if (!file.id || (file.status === 'failed' && UNREADABLE.test(file.error?.code ?? ''))) return;
  const src = client.url.thumbnail(jobId, file.id, file.status === 'completed' ? {} : { of: 'source' });
  if (image.getAttribute('src') !== src) image.src = src;
}

/** @param {FileView} file */
function paintReason(part, file) {
  const reasons = file.error ? [file.error.message, file.error.hint] : file.warnings.map(({ message }) => message);
  const text = reasons.filter(Boolean).join(' ');
  part.why.hidden = !text;
  setText(part.why, text);
}
