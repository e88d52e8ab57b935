/**
 * Results on paper: asks for the paper and how many of each, shows the first sheet, and gives them all as a PDF.
 *
 * @import { Page } from './page.js'
 */

import { groupOf, hasResult } from './core/store.js';
import { withDeskTexts } from './desk-texts.js';
import { el, setText } from './dom.js';
import { ranges } from './selection.js';
import { openDialog, recall, remember, setUpDialog } from './shell.js';

const PAPERS = [['10x15', '10 × 15 cm'], ['13x18', '13 × 18 cm'], ['a4', 'A4'], ['letter', 'Letter']];
const MOST = 100; // of each
const USUAL = { paper: '10x15', copies: '4', width: '100', height: '150', names: false, accepted: false };

/** @param {Page} page */
export function createPrint(page) {
  const { client, session } = page;
  const t = withDeskTexts(page.t);
  const last = { ...USUAL, ...recall('print') };
  /** @type {string[]} */ let ids = []; // photos that were selected; none: all
  let asked = 0;

  const paper = el('select', { id: 'print-paper', onchange: follow },
    ...PAPERS.map(([value, label]) => el('option', { value, selected: value === last.paper }, label)), el('option', { value: 'own', selected: last.paper === 'own' }, t('printOwnPaper')));
  const side = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string} */ value) => el('label', { className: 'field' }, el('span', { className: 'small' }, label),
    el('input', { id, type: 'number', min: 5, max: 500, step: 'any', value, required: true, oninput: follow }));
  const width = side('print-width', t('printWidth'), last.width);
  const height = side('print-height', t('printHeight'), last.height);
  const own = el('div', { className: 'print-own' }, width, height);
  const each = el('input', { id: 'print-copies', type: 'number', min: 1, max: MOST, step: 1, value: last.copies, placeholder: t('printFull'), oninput: follow });
  const quick = el('div', { className: 'choices-of', role: 'group', 'aria-label': t('printCopies') }, ...['1', '2', '3', '4', ''].map((value) => el('button', {
    className: 'button small', 'data-copies': value, onclick: () => {
      each.value = value;
      follow();
    },
  }, value || t('printFull'))));
  const toggle = (/** @type {string} */ id, /** @type {boolean} */ checked, /** @type {string} */ label) => el('label', { className: 'toggle' },
    el('input', { type: 'checkbox', id, checked, onchange: follow }), ' ', el('span', {}, label));
  const names = toggle('print-names', last.names, t('printNames'));
  const accepted = toggle('print-accepted', last.accepted, '');
  const preview = el('img', { className: 'print-preview', alt: t('printPreview'), id: 'print-preview' });
  const pages = el('p', { id: 'print-pages', role: 'status' });
  const link = el('a', { className: 'primary', id: 'print-pdf' }, t('printPdf'));
  const dialog = el('dialog', { className: 'sheet', id: 'print-dialog', 'aria-labelledby': 'print-title' },
    el('header', {}, el('h2', { id: 'print-title' }, t('print')),
      el('button', { className: 'icon-button', type: 'button', 'data-close': '', title: t('close'), 'aria-label': t('close') })),
    el('p', { className: 'small muted', id: 'print-which' }),
    el('div', { className: 'field' }, el('label', { htmlFor: 'print-paper' }, t('printPaper')), paper), own,
    el('div', { className: 'field' }, el('label', { htmlFor: 'print-copies' }, t('printCopies')), quick, each),
    names, accepted, preview, pages,
    el('p', { className: 'small muted' }, t('printNote')), link);
  setUpDialog(dialog);
  document.body.append(dialog);

  const chosen = () => [...session.store.get().files.values()].filter((file) => hasResult(file) && (!ids.length || ids.includes(String(file.id))));

  async function follow() {
    const { job } = session.store.get();
    if (!job) return;
    own.hidden = paper.value !== 'own';
    const copies = each.checkValidity() ? each.value : '';
    for (const button of quick.children) button.setAttribute('aria-pressed', String(button.dataset.copies === copies));
    const [wide, high] = [width.lastElementChild, height.lastElementChild];
    const isOwn = paper.value === 'own' && wide.checkValidity() && high.checkValidity();
    const fine = accepted.firstElementChild.checked;
    remember('print', { paper: paper.value, copies, width: wide.value, height: high.value, names: names.firstElementChild.checked, accepted: fine });
    const options = {
      paper: isOwn || paper.value === 'own' ? null : paper.value, copies: copies || null, photos: ids.length ? ranges(chosen().flatMap(({ index }) => index ?? [])) : null,
      paper_width_mm: isOwn ? wide.value : null, paper_height_mm: isOwn ? high.value : null,
      names: names.firstElementChild.checked ? 'true' : null, accepted: fine ? 'true' : null,
    };
    link.href = client.url.sheet(job.id, options);
    const turn = ++asked;
    try {
      const path = client.url.sheet(job.id, { ...options, format: 'json' });
      const { pages: n } = JSON.parse(await (await client.bytes(path)).text());
      if (turn !== asked) return;
      setText(pages, t('printPages', { n }));
      page.show(preview, client.url.sheet(job.id, { ...options, format: 'png' }));
      preview.hidden = false;
    } catch (error) {
      if (turn !== asked) return;
      setText(pages, /** @type {any} */ (error).code === 'nothing_to_print' ? t('printNothing') : /** @type {Error} */ (error).message);
      preview.hidden = true;
      link.removeAttribute('href');
    }
  }

  return {
    /** @param {string[]} [some] ids of the photos to print; none: all that are done */
    open(some = []) {
      ids = some;
      const files = chosen();
      setText(dialog.querySelector('#print-which'), ids.length ? t('printSelected', { n: files.length }) : t('printAll', { n: files.length }));
      setText(accepted.lastElementChild, t('printAccepted', { n: files.filter((file) => groupOf(file) === 'done').length }));
      follow();
      openDialog(dialog);
    },
  };
}
