/** For a page opened from disk: its icons come from the server and are laid into the page, then all goes on as usual. */

import { layIcons } from './icons.js';

await layIcons();
const template = /** @type {HTMLTemplateElement} */ (document.getElementById('card-template'));
for (const root of [document, template.content]) {
  for (const use of root.querySelectorAll('use[href]')) use.setAttribute('href', (use.getAttribute('href') ?? '').replace(/^.*#/, '#icon-'));
}
await import('./main.js');
