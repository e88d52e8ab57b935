/** The form of the options, with what differs from the preset. */

import { setText } from '../../static/js/core/dom.js';
import { createForm } from '../../static/js/core/form.js';
import { same, stepOf } from '../../static/js/core/recipe.js';
import type { Catalogue, Field, Format, ModelList, Recipe, Translate } from '../../static/js/core/types.js';
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

/** Returns what shows a preset in it. */
export function drawOptions(holder: HTMLElement, summary: HTMLElement, { catalogue, models, t, format, classOf, change }: FormContext) {
  const { part, formEl: el } = makersOf(classOf);
  let preset: Recipe;
  const steps = part('div', 'form-steps');
  const reset = el('button', { className: 'small button reset', onclick: () => {
    holder.parentElement!.querySelector('summary')!.focus();
    show(preset);
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
    const said = form.isSame(preset, recipe) ? '' : differences(preset, recipe).join(', ') || t('output');
    setText(summary, said);
    reset.hidden = !said;
  }

  function differences(was: Recipe, now: Recipe): string[] {
    const steps = catalogue.operations.flatMap(({ op, title }) => {
      const [before, after] = [stepOf(was, op), stepOf(now, op)];
      if (before && after) return changes(form.fields.get(op)!, before, after);
      return after ? title : before ? `${title}: ${t('off')}` : [];
    });
    const outputs = was.outputs.length === now.outputs.length
      ? now.outputs.flatMap((output, index) => changes(form.outputFields, was.outputs[index]!, output))
      : `${t('output')}: ${form.formatsOf(now.outputs)}`;
    return steps.concat(outputs);
  }

  const changes = (fields: Field[], before: object, after: object) => fields
    .filter((field) => !same(valueOf(field, before), valueOf(field, after)))
    .map((field) => form.named(field, valueOf(field, after)));

  function show(recipe: Recipe) {
    preset = recipe;
    form.show(recipe);
    tell(recipe);
  }

  holder.append(steps, reset);
  return show;
}

const valueOf = ({ key, default: usual }: Field, values: Record<string, any>) => (values[key] === undefined ? usual : values[key]);
