/**
 * Names, numbers and captions: what became of the list that came with the photos, corrected by hand; and how results
 * are called. Fetched when it is first asked for.
 *
 * @import { FileView, NameEntry } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { namingField } from './core/naming.js';
import { withDeskTexts } from './desk-texts.js';
import { byId, el, setText } from './dom.js';
import { openDialog, setUpDialog } from './shell.js';

const MOST = 200; // photos that are listed at once

/** @param {Page} page @param {string[]} [ids] these photos alone; without, those that the list of names has not */
export async function openNames(page, ids = []) {
  document.getElementById('names-dialog')?.remove();
  const t = withDeskTexts(page.t);
  const { client, session } = page;
  const { job } = session.store.get();
  if (!job) return;
  /** @type {NameEntry[]} */ let rows = job.names ? (await client.names(job.id)).rows : [];
  const report = el('div', { className: 'names-report' });
  const list = el('ul', { className: 'names-list', role: 'list' });
  const naming = el('div', {});
  const dialog = el('dialog', { className: 'drawer', id: 'names-dialog', 'aria-labelledby': 'names-title' },
    el('header', {}, el('h2', { id: 'names-title' }, ids.length ? t('rename') : t('names')),
      el('button', { className: 'icon-button', type: 'button', 'data-close': '', title: t('close'), 'aria-label': t('close') })),
    naming, report, list);
  setUpDialog(dialog);
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    stop();
    dialog.remove();
  });

  const unused = () => rows.filter(({ used }) => !used);
  const wanted = () => [...session.store.get().files.values()].filter(({ id, number, caption }) => id
    && (ids.length ? ids.includes(id) : job.names && !number && !caption)).slice(0, MOST);

  /** @param {FileView} file */
  function row(file) {
    const at = `name-${file.id}`;
    const field = (/** @type {string} */ key, /** @type {string} */ label, /** @type {string} */ value) => el('label', { className: 'field' },
      el('span', { className: 'small' }, label), el('input', { type: 'text', id: `${at}-${key}`, value, maxLength: key === 'name' ? 255 : 200, dir: 'auto' }));
    const name = field('name', t('photoName'), file.name);
    const number = field('number', t('number'), file.number ?? '');
    const caption = field('caption', t('caption'), file.caption ?? '');
    const free = unused();
    const choice = free.length > 0 && el('select', { id: `${at}-row`, 'aria-label': `${t('namesRow')}: ${file.name}`, onchange: () => {
      const chosen = free[choice.selectedIndex - 1];
      number.lastElementChild.value = chosen?.number ?? '';
      caption.lastElementChild.value = chosen?.caption ?? '';
    } }, el('option', {}, t('namesOwn')), ...free.map((one) => el('option', {}, [one.number, one.caption, one.file].filter(Boolean).join(' · '))));
    const save = el('button', { type: 'submit', className: 'button', 'aria-label': `${t('apply')}: ${file.name}` }, t('apply'));
    return el('li', { 'data-id': file.id ?? '' }, el('form', { className: 'name-form', onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      page.attempt(async () => {
        const called = { name: name.lastElementChild.value, number: number.lastElementChild.value, caption: caption.lastElementChild.value };
        await session.again((id) => client.nameFile(id, String(file.id), called));
        await refresh();
      });
    } },
    el('img', { src: client.url.thumbnail(job?.id ?? '', String(file.id), { of: 'source' }), alt: '', width: 72, height: 54, loading: 'lazy' }),
    name, choice && el('label', { className: 'field' }, el('span', { className: 'small' }, t('namesRow')), choice), number, caption, save));
  }

  async function refresh() {
    const now = session.store.get().job;
    if (!now || now.id !== job?.id) return dialog.close();
    if (now.names) rows = (await client.names(now.id)).rows;
    const named = await client.listing(now.id);
    session.store.dispatch({ type: 'polled', job: now, ...named });
    draw();
  }

  function draw() {
    const now = session.store.get().job;
    const names = now?.names;
    report.replaceChildren(...!names || ids.length ? [] : [
      el('p', {}, t('namesMatched', { n: names.matched })),
      ...names.problems.map((problem) => el('p', { className: 'failed-text small' }, problem)),
      ...unused().length ? [el('h3', {}, `${t('namesRows')} (${unused().length})`),
        el('ul', { className: 'small muted' }, ...unused().slice(0, MOST).map((one) => el('li', { dir: 'auto' }, [one.number, one.caption, one.file].filter(Boolean).join(' · '))))] : [],
      ...wanted().length ? [el('h3', {}, t('namesPhotos'))] : [],
    ]);
    list.replaceChildren(...wanted().map(row));
    naming.replaceChildren(namingField('job-naming', now?.recipe.naming ?? null, { el, t, change: (template) => page.attempt(async () => {
      await session.again((id) => client.change(id, { naming: template ?? '' }));
    }) }));
  }

  let jobId = job.id;
  const stop = session.store.subscribe(({ job: now }) => now?.id !== jobId && dialog.open && dialog.close());
  draw();
  openDialog(dialog);
}

/** The button in the bar: how many names are to be checked. @param {Page} page */
export function namesLabel(page) {
  const t = withDeskTexts(page.t);
  const names = page.session.store.get().job?.names;
  const open = names ? names.rows_without_photo.length + names.photos_without_row.length + names.more + names.problems.length : 0;
  return open ? t('namesToCheck', { n: open }) : t('names');
}
