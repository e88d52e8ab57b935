/**
 * A result handed on: to the clipboard, or to another program. Each button is there only where the browser can.
 *
 * @import { Page } from './page.js'
 */

import { el } from './dom.js';

/** @typedef {{url: string, name: string, format: string}} Result */

/** Clipboards take PNG alone. @param {Page} page @param {string} url @returns {Promise<Blob>} */
async function pngOf({ client }, url) {
  const blob = await client.bytes(url);
  if (blob.type === 'image/png') return blob;
  const picture = await createImageBitmap(blob);
  const canvas = el('canvas', { width: picture.width, height: picture.height });
  canvas.getContext('2d').drawImage(picture, 0, 0);
  return new Promise((resolve, reject) => canvas.toBlob((made) => (made ? resolve(made) : reject(new Error('no PNG'))), 'image/png'));
}

/** @param {Page} page @param {Result} result */
export function clipboardButton(page, { url, format }) {
  const { t, announce } = page;
  if (!navigator.clipboard?.write || typeof ClipboardItem === 'undefined' || format === 'tiff') return null;
  const button = el('button', { type: 'button', className: 'button copy', onclick: async () => {
    const written = navigator.clipboard.write([new ClipboardItem({ 'image/png': pngOf(page, url) })]);
    const told = await written.then(() => t('copied'), () => t('copyRefused'));
    announce(told);
    button.textContent = told;
    setTimeout(() => { button.textContent = t('copyResult'); }, 2_000);
  } }, t('copyResult'));
  return button;
}

/** @param {Page} page @param {Result} result */
export function shareButton({ t, client }, { url, name, format }) {
  const named = `${name.replace(/^.*\//, '').replace(/\.[^.]*$/, '')}.${format === 'jpeg' ? 'jpg' : format}`;
  const type = `image/${format}`;
  if (!navigator.canShare?.({ files: [new File([''], named, { type })] })) return null;
  return el('button', { type: 'button', className: 'button share', onclick: async () => {
    const blob = await client.bytes(url);
    await navigator.share({ files: [new File([blob], named, { type })] }).catch(() => {}); // who closes the menu did not mean to
  } }, t('shareResult'));
}
