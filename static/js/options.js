/**
 * "What to make": the presets, and below them the form of the chosen one.
 *
 * @import { Job, Preset, Recipe } from './core/types.js'
 * @import { Page } from './page.js'
 */

import { createForm } from './core/form.js';
import { byId, el, icon, iconButton, setText } from './dom.js';
import { recall, remember } from './shell.js';

/** How to name files is fetched when its section is opened. @type {typeof import('./core/naming.js').namingField} */
function namingField(...given) {
  const holder = el('div');
  requestAnimationFrame(() => {
    const section = holder.closest('details');
    const load = async () => section.open && !holder.firstChild && holder.append((await import('./core/naming.js')).namingField(...given));
    section?.addEventListener('toggle', load);
    load();
  });
  return holder;
}

const OWN = 'own-'; // begins the names of presets that this browser keeps

/** @param {Page} page */
export function createOptions(page) {
  const { t, models } = page;
  /** @type {ReturnType<typeof createForm>|null} */ let form = null;
  /** @type {Preset[]} */ let presets = [];
  /** @type {Recipe} */ let recipe = { operations: [], outputs: [{ name: 'full', format: 'png' }] };
  let chosen = '';
  /** @type {Job|null} */ let job = null; // the one shown: the panel has its recipe, and says what differs from it

  const preset = () => presets.find(({ name }) => name === chosen);
  const isChanged = () => {
    const base = preset();
    return base !== undefined && !form?.isSame(base.recipe, recipe);
  };

  /** @param {Recipe} next */
  function keepInMind(next) {
    recipe = next;
    if (chosen) remember('recipe', { chosen, recipe }); // what an opened job was made as is no choice
    summarise();
  }

  /** @param {Recipe} next */
  function change(next) {
    form?.show(next, job?.recipe);
    keepInMind(next);
  }

  function summarise() {
    const changed = isChanged();
    const title = preset()?.title ?? form?.describe(recipe) ?? '';
    setText(byId('options-summary'), [title, changed ? t('changed') : ''].filter(Boolean).join(', '));
    byId('presets').querySelector('.reset').hidden = !changed;
    const differences = job && form ? form.differences(job.recipe, recipe) : [];
    setText(byId('made-as'), job && form ? t('madeAs', { what: titleOf(job.recipe) }) : '');
    setText(byId('job-made'), byId('made-as').textContent);
    byId('differs').hidden = !differences.length;
    setText(byId('differs').firstElementChild, t('differs', { what: differences.join(', ') }));
  }

  /** What a recipe makes: as the preset that makes the same, else in words. @param {Recipe} some */
  const titleOf = (some) => presets.find((one) => form?.isSame(one.recipe, some))?.title ?? form?.describe(some) ?? '';

  /** The panel follows the job that is shown: one that is opened brings its recipe, one that is left gives back the last choice. */
  function follow() {
    const now = page.session.store.get().job;
    if (!form || now?.recipe === job?.recipe && now?.id === job?.id) return;
    const isFollowed = !job || job.id !== now?.id || form.isSame(job.recipe, recipe);
    const isAlike = now && job?.id === now.id && form.isSame(job.recipe, now.recipe);
    job = now;
    if (isAlike) return;
    if (isFollowed) showRecipe(now?.recipe);
    else form.show(recipe, now?.recipe);
    summarise();
  }

  /** Shows a recipe with the preset that makes the same; without one, what was chosen last. @param {Recipe} [its] */
  function showRecipe(its) {
    if (!its) restore();
    else if (!form?.isSame(its, recipe)) {
      recipe = its;
      chosen = presets.find((one) => form?.isSame(one.recipe, its))?.name ?? '';
    }
    drawPresets();
    form?.show(recipe, its);
  }

  function drawPresets() {
    const cards = presets.map(({ name, title, description, recipe: its, own: isShared }) => el('label', { className: 'preset' },
      el('input', {
        type: 'radio', name: 'preset', value: name, id: `preset-${name}`, checked: name === chosen,
        onchange: () => {
          chosen = name;
          change(its);
        },
      }),
      el('span', {}, el('strong', {}, title), el('span', { className: 'small muted' }, description)),
      (isOwn(name) || isShared) && iconButton('delete', t('deleteNamed', { name: title }), () => (isOwn(name)
        ? setOwn(own().filter((one) => one.name !== name))
        : page.attempt(() => page.client.deletePreset(name).then(() => shared()))))));
    const reset = el('button', {
      className: 'button small', onclick: () => change(preset()?.recipe ?? recipe),
    }, icon('retry'), t('resetPreset'));
    byId('presets').replaceChildren(byId('presets').firstElementChild, ...cards, el('div', { className: 'reset', hidden: true }, reset, keepButton()), elsewhere());
  }

  const knows = (/** @type {Recipe} */ some) => Boolean(form?.knows(some));

  /** What hands the recipe on is fetched when it is looked for. */
  function elsewhere() {
    const details = el('details', { className: 'field', ontoggle: () => page.attempt(async () => {
      if (!details.open || details.childElementCount > 1) return;
      const { recipeButtons } = await import('./recipes.js');
      details.append(recipeButtons(page, { recipe: () => recipe, keep, knows, preset, shared }));
    }) }, el('summary', { id: 'elsewhere' }, t('elsewhere')));
    return details;
  }

  /** @param {string} title @param {Recipe} its */
  function keep(title, its) {
    chosen = `${OWN}${Date.now()}`;
    setOwn([...own(), { name: chosen, title, description: '', recipe: its }]);
    if (its !== recipe) change(its);
  }

  /** The server's presets are others now. @param {string} [name] the one to choose, which takes the chosen one's place */
  async function shared(name) {
    const gone = name && chosen;
    chosen = name ?? chosen;
    presets = (await page.client.presets()).presets;
    setOwn(own().filter((one) => one.name !== gone));
  }

  /** @returns {Preset[]} those that this browser keeps */
  const own = () => recall('presets') ?? [];
  const isOwn = (/** @type {string} */ name) => name.startsWith(OWN);

  /** @param {Preset[]} kept */
  function setOwn(kept) {
    remember('presets', kept);
    presets = [...presets.filter(({ name }) => !isOwn(name)), ...kept];
    if (!preset() && !job) chosen = presets[0].name;
    drawPresets();
    summarise();
  }

  /** Becomes a field for the name; Enter keeps what is chosen now. */
  function keepButton() {
    const button = el('button', { className: 'button small', id: 'keep-preset', onclick: () => {
      button.replaceWith(field);
      field.focus();
    } }, icon('keep'), t('keepPreset'));
    const field = el('input', { type: 'text', id: 'preset-name', maxLength: 60, placeholder: t('presetName'), 'aria-label': t('presetName'), onkeydown: (event) => {
      if (event.key === 'Escape') field.replaceWith(button);
      if (event.key !== 'Enter' || !field.value.trim()) return;
      event.preventDefault();
      keep(field.value.trim(), recipe);
    } });
    return button;
  }

  /** What was chosen last time, where this server still knows it. */
  function restore() {
    const kept = recall('recipe');
    const known = kept && presets.some(({ name }) => name === kept.chosen)
      && kept.recipe?.outputs?.length && kept.recipe.operations && knows(kept.recipe);
    chosen = known ? kept.chosen : presets[0]?.name ?? '';
    recipe = known ? kept.recipe : presets[0]?.recipe ?? recipe;
  }

  const toggle = byId('options-toggle');
  toggle.onclick = () => {
    const open = toggle.getAttribute('aria-expanded') !== 'true';
    toggle.setAttribute('aria-expanded', String(open));
    byId('options').toggleAttribute('data-open', open);
  };
  byId('options-body').onsubmit = (event) => event.preventDefault();
  byId('differs').lastElementChild.onclick = () => {
    showRecipe(job?.recipe);
    summarise();
  };
  models.subscribe(() => form?.refresh());
  page.session.store.subscribe(follow);

  return {
    recipe: () => recipe,
    async load() {
      const [catalogue, { presets: list }] = await Promise.all([page.client.operations(), page.client.presets()]);
      form = createForm(byId('steps'), { catalogue, el, icon, t, format: page.format, models: models.get, change: keepInMind, namingField });
      presets = [...list, ...own()];
      restore();
      job = null;
      drawPresets();
      form.show(recipe);
      follow();
      summarise();
    },
  };
}
