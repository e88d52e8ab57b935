/**
 * Results on paper: asks for the paper and how many of each, and gives the sheets as a PDF.
 *
 * @import { Page } from './page.js'
 */

import { el } from './dom.js';
import { openDialog, setUpDialog } from './shell.js';

const PAPERS = [['10x15', '10 × 15 cm'], ['13x18', '13 × 18 cm'], ['a4', 'A4'], ['letter', 'Letter']];
const COPIES = 100;

/** @param {Page} page */
export function createPrint({ t, client, session }) {
  const paper = el('select', { id: 'print-paper', onchange: follow }, ...PAPERS.map(([value, label]) => el('option', { value }, label)));
  const each = el('input', { id: 'print-copies', type: 'number', min: 1, max: COPIES, step: 1, placeholder: t('printFull'), oninput: follow });
  const link = el('a', { className: 'primary', id: 'print-pdf' }, t('printPdf'));
  const dialog = el('dialog', { className: 'sheet', id: 'print-dialog', 'aria-labelledby': 'print-title' },
    el('header', {}, el('h2', { id: 'print-title' }, t('print')),
      el('button', { className: 'icon-button', type: 'button', 'data-close': '', title: t('close'), 'aria-label': t('close') })),
    el('div', { className: 'field' }, el('label', { htmlFor: 'print-paper' }, t('printPaper')), paper),
    el('div', { className: 'field' }, el('label', { htmlFor: 'print-copies' }, t('printCopies')), each),
    el('p', { className: 'small muted' }, t('printNote')), link);
  setUpDialog(dialog);
  document.body.append(dialog);

  function follow() {
    const job = session.store.get().job;
    const copies = each.checkValidity() ? each.value : '';
    if (job) link.href = client.url.sheet(job.id, { paper: paper.value, copies: copies || null });
  }

  return {
    open() {
      follow();
      openDialog(dialog);
    },
  };
}
