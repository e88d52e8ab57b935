/**
 * The choice of another model, of those that the page knows.
 *
 * @import { Page } from './page.js'
 */

import { modelSelect as choice } from './core/picker.js';
import { el } from './dom.js';

/** @param {Page} page @param {string} id @param {(model: string) => void} act @param {string} [last] the model that made it */
export const modelSelect = ({ models, t, format }, id, act, last) => choice({ el, t, format, models: models.get().models }, id, act, last);
