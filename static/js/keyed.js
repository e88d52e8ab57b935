/**
 * The page where it did not come from its server: asks for the key that such a server may want, and keeps it. Neither an
 * `<img>` nor a link can show a key: pictures are fetched, links get a ticket. Fetched by such a page alone.
 *
 * @import { Client, Translate } from './core/types.js'
 */

import { BASE } from './base.js';
import { ProblemError, createClient } from './core/client.js';
import { el } from './dom.js';
import { openDialog } from './shell.js';

const NAME = `key ${BASE}`;
const KEPT_MS = 30 * 86_400_000; // as long as the server's cookie
const PICTURES = 20; // fetched pictures that are kept, those of the list aside

/** The key that this browser keeps for the server, or nothing. */
export function keptKey() {
  for (const storage of ['sessionStorage', 'localStorage']) {
    try {
      const { key, until } = JSON.parse(window[storage].getItem(NAME) ?? '{}');
      if (until > Date.now()) return String(key);
    } catch {
      // storage is forbidden, or what is there is none of ours
    }
  }
  return '';
}

/** @param {string} key @param {boolean} long in this browser, else as long as this tab is open */
function keepKey(key, long) {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  (long ? localStorage : sessionStorage).setItem(NAME, JSON.stringify({ key, until: Date.now() + KEPT_MS }));
}

/** Asks for the key, and loads the page again with it. @param {Translate} t */
export function askKey(t) {
  const wrong = el('p', { className: 'missing', role: 'alert' });
  const input = el('input', { id: 'key', type: 'password', autocomplete: 'current-password', required: true, 'aria-describedby': 'key-hint' });
  const keep = el('input', { id: 'key-keep', type: 'checkbox', checked: true });
  const form = el('form', {
    onsubmit: async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      wrong.textContent = '';
      try {
        await createClient(BASE, JSON.parse, input.value.trim()).presets();
        keepKey(input.value.trim(), keep.checked);
        location.reload();
      } catch (error) {
        wrong.textContent = error instanceof ProblemError && error.status === 401 ? t('keyWrong') : /** @type {Error} */ (error).message;
        input.select();
      }
    },
  }, el('h2', { id: 'key-title' }, t('keyAsked')),
  el('div', { className: 'field' }, el('label', { htmlFor: 'key' }, t('keyLabel')), input, wrong,
    el('p', { className: 'small muted', id: 'key-hint' }, t('keyHint', { server: BASE }))),
  el('label', { className: 'toggle' }, keep, ' ', el('span', {}, t('keyKeep'))),
  el('button', { type: 'submit', className: 'primary' }, t('signIn')));
  const dialog = el('dialog', { className: 'sheet', id: 'key-dialog', 'aria-labelledby': 'key-title', oncancel: (/** @type {Event} */ event) => event.preventDefault() }, form);
  document.body.append(dialog);
  openDialog(dialog);
  input.focus();
}

/** @param {Client} client one that shows a key */
export function createKeyed(client) {
  /** @type {Map<string, Promise<string>>} */ const fetched = new Map();
  /** @type {WeakMap<HTMLImageElement, string>} */ const wanted = new WeakMap();
  /** In the order they come into sight: five hundred at once would hold up everything else. */
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      load(/** @type {HTMLImageElement} */ (target));
    }
  }, { rootMargin: '400px' });

  /** @param {string} url */
  const fetchPicture = async (url) => URL.createObjectURL(await client.bytes(url));

  /** @param {HTMLImageElement} image */
  async function load(image) {
    const url = wanted.get(image) ?? '';
    const address = await fetchPicture(url).catch(() => 'data:,'); // an error of the image, as it would be without a key
    if (wanted.get(image) !== url) return URL.revokeObjectURL(address);
    URL.revokeObjectURL(image.src);
    image.src = address;
  }

  addEventListener('click', async (event) => {
    const link = /** @type {Element} */ (event.target).closest?.('a[href]');
    const href = /** @type {HTMLAnchorElement|undefined} */ (link)?.href ?? '';
    if (!href.startsWith(`${BASE}/api/`)) return;
    event.preventDefault();
    const opened = el('a', { href: await client.ticketed(href).catch(() => href), download: '' });
    opened.click();
  });

  return {
    /** An address that an image can show, of one of `client.url`. @param {string} url */
    address(url) {
      const coming = fetched.get(url) ?? fetchPicture(url);
      fetched.delete(url);
      fetched.set(url, coming);
      coming.catch(() => fetched.delete(url));
      const [[oldest, old]] = fetched;
      if (fetched.size > PICTURES) {
        fetched.delete(oldest);
        old.then((address) => URL.revokeObjectURL(address), () => {});
      }
      return coming;
    },
    /** @param {HTMLImageElement} image @param {string} url */
    show(image, url) {
      wanted.set(image, url);
      if (image.loading === 'lazy') sight.observe(image);
      else load(image);
    },
  };
}
