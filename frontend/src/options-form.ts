/** The form of the options, with what differs from the preset. */

import { setText } from '../../static/js/core/dom.js';
import { createForm } from '../../static/js/core/form.js';
import { withEditorTexts } from '../../static/js/editor/texts.js';
import { formatText } from '../../static/js/downloads.js';
import type { Catalogue, Format, JobClient, ModelList, Recipe, Translate } from '../../static/js/core/types.js';
import { makersOf } from './make.js';
import type { ClassOf } from './make.js';

export interface FormContext {
  catalogue: Catalogue;
  models: ModelList;
  t: Translate;
  format: Format;
  classOf: ClassOf;
  /** The recipe is another than the preset's; undefined: it is that again. */
  change: (recipe: Recipe | undefined) => void;
}

let forms = 0;

/** Returns what shows a preset in it, and what differs from `made`: from how the photos were made, else from the preset. */
export function drawOptions(holder: HTMLElement, summary: HTMLElement, { catalogue, models, t: texts, format, classOf, change }: FormContext) {
  const t = withEditorTexts(texts);
  const { part, formEl: el } = makersOf(classOf);
  let preset: Recipe;
  let base: Recipe; // what the summary compares with
  const steps = part('div', 'form-steps');
  const reset = el('button', { className: 'small button reset', onclick: () => {
    holder.parentElement!.querySelector('summary')!.focus();
    show(preset, base === preset ? null : base);
    change(undefined);
  } }, t('resetPreset'));
  const form = createForm(steps, {
    catalogue, el, t, format, models: () => models, icon: (name) => (name === 'delete' ? '×' : ''), prefix: `pp-${++forms}-`,
    change: (recipe) => {
      tell(recipe);
      change(form.isSame(preset, recipe) ? undefined : recipe);
    },
  });

  function tell(recipe: Recipe) {
    setText(summary, form.differences(base, recipe).join(', '));
    reset.hidden = form.isSame(preset, recipe);
  }

  function show(recipe: Recipe, made: Recipe | null) {
    preset = recipe;
    base = made ?? recipe;
    form.show(recipe, made);
    tell(recipe);
  }

  holder.append(steps, reset);
  return show;
}

/** A recipe in the titles of its operations and its formats. */
export async function titlesOf({ operations, outputs }: Recipe, client: JobClient): Promise<string> {
  const known = (await client.operations()).operations;
  const titles = operations.map(({ op }) => known.find((info) => info.op === op)?.title ?? op);
  return [...titles, ...new Set(outputs.map(({ format }) => formatText(format)))].join(', ');
}
