/** What a job was made as, in words. */

import { same } from '../../static/js/core/same.js';
import type { JobClient, Preset, Recipe } from '../../static/js/core/types.js';

/** The title of the preset that makes the same, else the titles of the recipe's steps, and the formats. */
export async function madeAs(client: JobClient, recipe: Recipe, presets: readonly Preset[]): Promise<string> {
  const preset = presets.find((one) => same(one.recipe, recipe));
  if (preset) return preset.title;
  const { operations } = await client.operations();
  const titles = recipe.operations.map(({ op }) => operations.find((info) => info.op === op)?.title ?? op);
  return [...titles, ...new Set(recipe.outputs.map(({ format }) => format.toUpperCase().replace('EB', 'eb')))].join(', ');
}
