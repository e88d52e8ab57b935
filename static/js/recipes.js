/**
 * The recipe as chosen, for use elsewhere: copied as JSON or as a call of curl, saved as a file, opened from one.
 *
 * @import { Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { BASE } from './base.js';
import { el } from './dom.js';

/** Browsers give pages on plain http no clipboard but this old one. @param {string} text */
function copied(text) {
  const area = el('textarea', { value: text, readOnly: true });
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

/** @param {string} text @returns {Promise<boolean>} */
async function copy(text) {
  if (navigator.clipboard?.writeText) {
    const written = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (written) return true;
  }
  return copied(text);
}

/** @param {string} text as one word of a POSIX shell */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {string} address of the server @param {Recipe} recipe */
export function curlOf(address, recipe) {
  return `curl -F files=@photo.jpg -F recipe=${quoted(JSON.stringify(recipe))} ${quoted(`${address}/api/jobs`)}`;
}

/**
 * @param {Page} page
 * @param {{recipe: () => Recipe, title: () => string, keep: (title: string, recipe: Recipe) => void,
 *   knows: (recipe: Recipe) => boolean}} options
 */
export function recipeButtons({ t, notices, announce }, options) {
  /** @param {string} label @param {() => string} text */
  const copying = (label, text) => {
    const button = el('button', { type: 'button', className: 'button small', onclick: async () => {
      const told = t(await copy(text()) ? 'copied' : 'copyRefused');
      announce(told);
      button.textContent = told;
      setTimeout(() => { button.textContent = label; }, 2_000);
    } }, label);
    return button;
  };
  const json = () => JSON.stringify({ title: options.title(), recipe: options.recipe() }, null, 2);
  const save = () => {
    const address = URL.createObjectURL(new Blob([json()], { type: 'application/json' }));
    el('a', { href: address, download: `${options.title() || 'recipe'}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  const refuse = () => notices.set('recipe', { kind: 'failed', title: t('recipeRefused'), dismiss: () => notices.set('recipe', null) });
  const picker = el('input', { type: 'file', accept: '.json,application/json', hidden: true, id: 'recipe-file', onchange: async () => {
    const file = picker.files?.[0];
    picker.value = '';
    if (!file) return;
    const found = await file.text().then(JSON.parse).catch(() => null);
    const recipe = found?.recipe ?? found;
    if (!Array.isArray(recipe?.operations) || !options.knows(recipe)) return void refuse();
    notices.set('recipe', null);
    options.keep(String(found.title || file.name.replace(/\.json$/i, '')).slice(0, 60), recipe);
  } });
  return el('div', { className: 'reset' },
    copying(t('copyRecipe'), () => JSON.stringify(options.recipe())),
    copying(t('copyCurl'), () => curlOf(new URL(BASE || '/', location.href).href.replace(/\/$/, ''), options.recipe())),
    el('button', { type: 'button', className: 'button small', onclick: save }, t('saveRecipe')),
    el('button', { type: 'button', className: 'button small', onclick: () => picker.click() }, t('openRecipe')), picker);
}
