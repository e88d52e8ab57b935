/**
 * How photos come in: dropped, chosen, pasted, or the sample.
 *
 * @import { Entry, Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { entriesOfDrop, entriesOfFiles, nameOf, usable } from './core/entries.js';
import { byId } from './dom.js';
import { noticeOf } from './notices.js';

/** @param {Page} page @param {{recipe: () => Recipe, started: (id: string) => void, added: () => void}} options */
export function createIntake(page, { recipe, started, added }) {
  const { session, notices, t } = page;
  const over = byId('drag-over');
  const inputs = { files: byId('input-files'), folder: byId('input-folder'), camera: byId('input-camera') };

  /** @param {Entry[]} all */
  function take(all) {
    const { entries, leftOut } = usable(all);
    const detail = leftOut ? t('leftOut', { n: leftOut }) : '';
    const dismiss = () => notices.set('intake', null);
    notices.set('intake', entries.length ? (detail ? { kind: 'info', title: detail, dismiss } : null)
      : { kind: 'look', title: t('nothingUsable'), detail, dismiss });
    if (entries.length) send(entries);
  }

  /** @param {Entry[]} entries */
  async function send(entries) {
    page.announce(t('sayAdded', { n: entries.length }));
    if (session.add(entries)) return void added();
    notices.set('refused', null);
    try {
      const job = await session.submit(entries, { recipe: recipe(), name: nameOf(entries, t) });
      if (session.store.get().job?.id === job.id) started(job.id);
    } catch (error) {
      if (/** @type {any} */ (error).name === 'AbortError') return;
      notices.set('refused', {
        ...noticeOf(error, t('noticeRefused')),
        actions: [{ label: t('tryAgain'), act: () => send(entries) }],
        dismiss: () => notices.set('refused', null),
      });
    }
  }

  async function sample() {
    await page.attempt(async () => take([await page.client.sample()]));
  }

  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;

  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    over.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) over.hidden = true;
  });
  addEventListener('drop', (event) => {
    over.hidden = true;
    if (!carriesFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    entriesOfDrop(event.dataTransfer).then(take, () => take([]));
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const generic = files.length === 1 && files[0].name === 'image.png';
    take(generic ? [{ file: files[0], name: `${t('pasted')}-${Date.now()}.png` }] : entriesOfFiles(files));
  });

  for (const input of Object.values(inputs)) {
    input.onchange = () => {
      take(entriesOfFiles(input.files));
      input.value = '';
    };
  }
  byId('choose-files').onclick = () => inputs.files.click();
  byId('choose-folder').onclick = () => inputs.folder.click();
  byId('take-photo').onclick = () => inputs.camera.click();
  byId('try-sample').onclick = sample;
  byId('choose-folder').hidden = !('webkitdirectory' in inputs.folder);

  return { choose: () => inputs.files.click() };
}
