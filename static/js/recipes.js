/**
 * The recipe as chosen, for use elsewhere: copied as JSON or as a call of curl, saved as a file, opened from one.
 *
 * @import { Preset, Recipe } from './core/types.js'
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

/** What a preset with this title is called in addresses. @param {string} title */
function nameOf(title) {
  const plain = title.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^(own)?-+|-+$/g, '').slice(0, 60);
  return plain || `preset-${Date.now()}`;
}

/** @param {string} address of the server @param {Recipe} recipe */
export function curlOf(address, recipe) {
  return `curl -F files=@photo.jpg -F recipe=${quoted(JSON.stringify(recipe))} ${quoted(`${address}/api/jobs`)}`;
}

/**
 * @param {Page} page
 * @param {{recipe: () => Recipe, keep: (title: string, recipe: Recipe) => void,
 *   knows: (recipe: Recipe) => boolean, preset: () => Preset|undefined, shared: (name: string) => Promise<void>}} options
 */
export function recipeButtons({ t, client, notices, announce, attempt }, options) {
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
  const json = () => JSON.stringify({ title: options.preset()?.title ?? '', recipe: options.recipe() }, null, 2);
  const save = () => {
    const address = URL.createObjectURL(new Blob([json()], { type: 'application/json' }));
    el('a', { href: address, download: `${options.preset()?.title || 'recipe'}.json` }).click();
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
  // A preset of this browser's becomes the server's; one of the server's takes what was changed.
  const own = options.preset();
  const share = (own?.own || own?.name.startsWith('own-')) && el('button', { type: 'button', className: 'button small', onclick: () => attempt(async () => {
    const name = own.own ? own.name : nameOf(own.title);
    await client.putPreset(name, { title: own.title, description: own.description, recipe: options.recipe() });
    await options.shared(name);
    announce(t('presetShared'));
  }) }, t('sharePreset'));
  return el('div', { className: 'reset' }, share,
    copying(t('copyRecipe'), () => JSON.stringify(options.recipe())),
    copying(t('copyCurl'), () => curlOf(new URL(`${BASE}/`, location.href).href.replace(/\/$/, ''), options.recipe())),
    el('button', { type: 'button', className: 'button small', onclick: save }, t('saveRecipe')),
    el('button', { type: 'button', className: 'button small', onclick: () => picker.click() }, t('openRecipe')), picker);
}
