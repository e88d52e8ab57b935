/** The texts of a view: the server has them in its languages, so they are asked of it. */

import { LANGUAGES, readerOf } from '../../static/js/core/language.js';
import { createStrings, en } from '../../static/js/core/strings.js';
import type { Client, Translate } from '../../static/js/core/types.js';
import { OWN_MESSAGES } from './messages.js';

export type Messages = Partial<Record<string, string | { one: string; other: string }>>;

export interface Language {
  t: Translate;
  /** Reads the server's JSON, with its texts in this language. */
  read: (text: string) => any;
  /** Whether no further texts are on their way. */
  ready: boolean;
}

const codeOf = (locale: string) => locale.slice(0, 2).toLowerCase();
const isOffered = (locale: string) => codeOf(locale) !== 'en' && codeOf(locale) in LANGUAGES;

export function english(locale = 'en', messages: Messages = {}): Language {
  const t = createStrings({ ...en, ...OWN_MESSAGES, ...messages } as typeof en, locale);
  return { t, read: JSON.parse, ready: !isOffered(locale) };
}

/** English where the server has no such language, or is not there. */
export async function loadLanguage(client: Client, locale: string, messages: Messages = {}): Promise<Language> {
  if (!isOffered(locale)) return english(locale, messages);
  try {
    const known = await client.language(codeOf(locale));
    const t = createStrings({ ...en, ...OWN_MESSAGES, ...known, ...messages } as typeof en, locale);
    return { t, read: readerOf(known, t), ready: true };
  } catch {
    return { ...english(locale, messages), ready: true };
  }
}
