/** "Options" below the presets, folded: form and catalogue are fetched when they are unfolded. For component and element alike. */

import type { Recipe } from '../../static/js/core/types.js';
import type { PhotoJob } from './job.js';
import { makersOf } from './make.js';
import type { FormContext } from './options-form.js';

export type OptionsPart = 'options' | 'options-title' | 'options-summary' | 'options-form' | `form-${string}`;

export interface OptionsContext extends Omit<FormContext, 'catalogue' | 'models'> {
  job: PhotoJob;
}

export interface Options {
  element: HTMLElement;
  /** What the options begin with. */
  show: (preset: Recipe) => void;
  close: () => void;
}

export function createOptions(context: OptionsContext): Options {
  const { job, t, classOf } = context;
  const { part } = makersOf(classOf);
  const summary = part('span', 'options-summary');
  const body = part('div', 'options-form');
  const element = part('details', 'options', { ontoggle: load }, part('summary', 'options-title', {}, t('options'), summary), body);
  let preset: Recipe;
  let asked = false;
  let show = (_: Recipe) => {};

  function load() {
    if (asked || !element.open) return;
    asked = true;
    job.attempt(async () => {
      try {
        const [{ drawOptions }, catalogue, models] = await Promise.all([import('./later.js'), job.client.operations(), job.client.models()]);
        show = drawOptions(body, summary, { ...context, catalogue, models });
        show(preset);
      } catch (error) {
        asked = element.open = false; // it is asked for again when it is unfolded again
        throw error;
      }
    });
  }

  return {
    element,
    show(recipe) {
      preset = recipe;
      show(recipe);
    },
    close: () => element.remove(),
  };
}
