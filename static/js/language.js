/**
 * The page's language: the one chosen here, else the first of the browser's that there is, else English.
 *
 * A language is one file of `static/lang`: the keys of `en`, and the server's own English texts, each with what to show
 * for it. `{}` in a text of the server stands for what differs from time to time.
 *
 * @import { Translate } from './core/types.js'
 */

import { createStrings, en } from './core/strings.js';
import { el } from './dom.js';
import { recall, remember } from './shell.js';

const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français' };
const SHOWN = new Set(['title', 'description', 'summary', 'message', 'hint', 'detail', 'good_at', 'x-group']);

export async function loadLanguage() {
  const wanted = [...(recall('language') ?? []), ...navigator.languages.map((one) => one.slice(0, 2))];
  const code = wanted.find((one) => one in LANGUAGES) ?? 'en';
  const messages = code === 'en' ? {} : await fetch(new URL(`../lang/${code}.json`, import.meta.url)).then((answer) => answer.json()).catch(() => ({}));
  document.documentElement.lang = code;
  const t = createStrings({ ...en, ...messages }, code);
  return { code, t, read: code === 'en' ? JSON.parse : readerOf(messages, t) };
}

/** JSON of the server with its texts in another language. @param {Record<string, string>} messages @param {Translate} t */
function readerOf(messages, t) {
  const patterns = Object.keys(messages).filter((text) => text.includes('{}'))
    .map((text) => ({ text, pattern: new RegExp(`^${text.split('{}').map(escaped).join('(.+?)')}$`, 's') }));

  /** @param {string} text */
  function shown(text) {
    if (text in messages) return t(text);
    for (const { text: known, pattern } of patterns) {
      const found = pattern.exec(text);
      if (found) return found.slice(1).reduce((filled, part) => filled.replace('{}', () => part), messages[known]);
    }
    return text;
  }
  return (/** @type {string} */ json) => JSON.parse(json, (key, value) => (typeof value === 'string' && SHOWN.has(key) ? shown(value) : value));
}

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @param {string} current @param {string} label */
export function languageMenu(current, label) {
  const choice = el('select', { id: 'language', title: label, 'aria-label': label },
    ...Object.entries(LANGUAGES).map(([code, name]) => el('option', { value: code, lang: code, selected: code === current }, name)));
  choice.onchange = () => {
    remember('language', [choice.value]);
    location.reload();
  };
  return choice;
}
