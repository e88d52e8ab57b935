/** The crop by hand with the page's looks, which come with it. */

import { el } from './core/dom.js';

export { openCrop } from './crop.js';

if (!document.querySelector('link[data-crop]')) {
  await new Promise((resolve) => {
    document.head.append(el('link', {
      rel: 'stylesheet', href: new URL('../css/crop.css', import.meta.url).href, 'data-crop': '', onload: resolve, onerror: resolve,
    }));
  });
}
