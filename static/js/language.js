/** The page's language: the one chosen here, else the first of the browser's that there is, else English. */

import { LANGUAGES, readerOf } from './core/language.js';
import { formTexts } from './core/form.js';
import { createStrings, en } from './core/strings.js';
import { texts } from './texts.js';
import { el } from './dom.js';
import { recall, remember } from './shell.js';

export async function loadLanguage() {
  const wanted = [...(recall('language') ?? []), ...navigator.languages.map((one) => one.slice(0, 2))];
  const code = wanted.find((one) => one in LANGUAGES) ?? 'en';
  const messages = code === 'en' ? {} : await fetch(new URL(`../lang/${code}.json`, import.meta.url)).then((answer) => answer.json()).catch(() => ({}));
  document.documentElement.lang = code;
  const t = createStrings({ ...en, ...formTexts, ...texts, ...messages }, code);
  return { code, t, read: code === 'en' ? JSON.parse : readerOf(messages, t) };
}

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
