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
  /** What the options begin with; where the job shown was made otherwise, `made` is how. */
  show: (preset: Recipe, made?: Recipe | null) => void;
  close: () => void;
}

export function createOptions(context: OptionsContext): Options {
  const { job, t, classOf } = context;
  const { part } = makersOf(classOf);
  const summary = part('span', 'options-summary');
  const body = part('div', 'options-form');
  const element = part('details', 'options', { ontoggle: load }, part('summary', 'options-title', {}, t('options'), summary), body);
  let shown: [Recipe, Recipe | null];
  let asked = false;
  let show = (_preset: Recipe, _made: Recipe | null) => {};

  function load() {
    if (asked || !element.open) return;
    asked = true;
    job.attempt(async () => {
      try {
        const [{ drawOptions }, catalogue, models] = await Promise.all([import('./later.js'), job.client.operations(), job.client.models()]);
        show = drawOptions(body, summary, { ...context, catalogue, models });
        show(...shown);
      } catch (error) {
        asked = element.open = false; // it is asked for again when it is unfolded again
        throw error;
      }
    });
  }

  return {
    element,
    show(preset, made = null) {
      shown = [preset, made];
      show(...shown);
    },
    close: () => element.remove(),
  };
}
