/** The texts of a view: the server has them in its languages, so they are asked of it. */

import { LANGUAGES, readerOf } from '../../static/js/core/language.js';
import { createStrings, en } from '../../static/js/core/strings.js';
import type { JobClient, Translate } from '../../static/js/core/types.js';
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

function language(locale: string, messages: Messages, known?: Record<string, any>, ready = true): Language {
  const t = createStrings({ ...en, ...OWN_MESSAGES, ...known, ...messages } as typeof en, locale);
  return { t, read: known ? readerOf(known, t) : JSON.parse, ready };
}

export const english = (locale = 'en', messages: Messages = {}) => language(locale, messages, undefined, !isOffered(locale));

/** English where the server has no such language, or is not there. */
export const loadLanguage = async (client: JobClient, locale: string, messages: Messages = {}) => language(
  locale, messages, isOffered(locale) ? await client.language(codeOf(locale)).catch(() => undefined) : undefined,
);
