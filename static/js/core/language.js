/**
 * A language is one file of `static/lang`: the keys of `en`, and the server's own English texts, each with what to show
 * for it. `{}` in a text of the server stands for what differs from time to time.
 *
 * @import { Translate } from './types.js'
 */

export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français' };
const SHOWN = new Set(['title', 'description', 'summary', 'message', 'hint', 'detail', 'good_at', 'x-group']);

/** JSON of the server with its texts in another language. @param {Record<string, string>} messages @param {Translate} t */
export function readerOf(messages, t) {
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
