/** Why no request comes through: nobody is there, or pages of this origin are not allowed. */

import type { JobClient, Translate } from '../../static/js/core/types.js';
import { withEditorTexts } from '../../static/js/editor/texts.js';
import type { PhotoFault } from './job.js';

const PATIENCE_MS = 5_000;
const OWN_CODES = 4_000; // close codes from here on are the server's

/** A browser says the same of both, but a socket that the server itself closes was open: there it lets every origin in to be told. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    const end = (there: boolean) => {
      clearTimeout(timer);
      resolve(there);
    };
    const timer = setTimeout(() => {
      socket.close();
      end(false);
    }, PATIENCE_MS);
    socket.onclose = ({ code }) => end(code >= OWN_CODES);
  });
}

/** The fault with its reason, where the server could be asked for it. */
export async function diagnosed(fault: PhotoFault, client: JobClient, texts: Translate): Promise<PhotoFault> {
  const address = client.url.socket('0', 0);
  if (fault.code !== 'offline' || new URL(address).host === location.host || !await answers(address).catch(() => false)) return fault;
  const t = withEditorTexts(texts);
  const { origin } = location;
  return { ...fault, code: 'origin_not_allowed', message: t('foreignOrigin', { origin }), hint: t('foreignOriginHint', { origin }) };
}

/** Presets that were asked for and are not there, for whoever builds the page. */
export function warnOfPresets(wanted: readonly string[], there: readonly { name: string }[]) {
  const missing = wanted.filter((name) => !there.some((one) => one.name === name));
  console.warn(`photo-processor: this server has no preset ${missing.map((name) => `"${name}"`).join(', ')}. It has: ${there.map(({ name }) => name).join(', ')}.`);
}

/** Props or attributes that mean nothing here. */
export function warnOfNames(kind: 'prop' | 'attribute', names: string) {
  console.warn(`photo-processor: unknown ${kind} ${names}. See the README for those there are.`);
}
