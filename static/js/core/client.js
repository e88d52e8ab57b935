/**
 * The server's HTTP calls for a job, and how to wait between attempts; the others are in `calls.js`.
 * Errors are `ProblemError` (the server said no) or `OfflineError` (it said nothing).
 *
 * @import { Job, JobClient, JobFile, RequestOptions, SendOptions } from './types.js'
 */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
export const JSON_TYPE = { 'Content-Type': 'application/json' };

export class ProblemError extends Error {
  /** @param {number} status @param {any} problem an RFC 9457 document, or null where the body was none */
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `The server answered ${status}.`);
    this.name = 'ProblemError';
    this.status = status;
    /** @type {string} */ this.code = problem?.code || `http_${status}`;
    /** @type {string|null} */ this.hint = problem?.hint || null;
    /** @type {Array<Record<string, string>>} */ this.errors = problem?.errors || [];
  }
}

export class OfflineError extends Error {
  constructor() {
    super('The server does not answer.');
    this.name = 'OfflineError';
  }
}

/** Whether the same request may succeed later. @param {unknown} error */
export function isTransient(error) {
  return error instanceof OfflineError
    || (error instanceof ProblemError && (error.status >= 500 || error.status === 408 || error.status === 429));
}

/** @param {string} text @param {(text: string) => any} read */
function parse(text, read) {
  try {
    return read(text);
  } catch {
    return null;
  }
}

/** A random token that needs no secure context. */
export function token() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {Record<string, string|number|undefined|null>} values */
export function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : '';
}

/**
 * The address of the server, of one that may end with slashes, or with `/api` as older components had it.
 * @param {string} endpoint
 */
export function serverOf(endpoint) {
  return endpoint.replace(/(?:([^/])\/api)?\/*$/, '$1');
}

/**
 * @param {string} [base] address of the server without a slash at its end; empty: where this page came from
 * @param {(text: string) => any} [read] makes of the server's JSON what the caller gets, such as texts in another language
 * @param {string} [key] an API key, where the server asks for one
 * @returns {JobClient}
 */
export function createClient(base = '', read = JSON.parse, key = '') {
  /** @type {Record<string, string>} */ const shown = key ? { Authorization: `Bearer ${key}` } : {};

  /** @param {string} method @param {string} path @param {RequestOptions} [options] */
  async function answer(method, path, { form, headers, keepalive } = {}) {
    const response = await fetch(base + path, { method, body: form, keepalive, headers: { ...shown, ...headers } }).catch(() => {
      throw new OfflineError();
    });
    if (response.ok || response.status === 304) return response;
    throw new ProblemError(response.status, parse(await response.text(), read));
  }

  /** @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} */
  const call = async (method, path, options) => read(await (await answer(method, path, options)).text());
  const at = (/** @type {string} */ id) => `/api/jobs/${encodeURIComponent(id)}`;
  const fileAt = (/** @type {string} */ id, /** @type {string} */ file) => `${at(id)}/files/${encodeURIComponent(file)}`;

  return {
    call,
    answer,
    read,
    keyed: key !== '',
    language: (code) => call('GET', `/api/languages/${code}`),
    async ticketed(url) {
      if (!key) return url;
      const { ticket } = await call('POST', '/api/tickets');
      return `${url}${url.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`;
    },
    async bytes(url) {
      return (await answer('GET', url.slice(base.length))).blob();
    },
    operations: () => call('GET', '/api/operations'),
    presets: () => call('GET', '/api/presets'),
    models: () => call('GET', '/api/models'),

    job: (id) => call('GET', at(id)),
    async jobIfChanged(id, known) {
      const response = await answer('GET', at(id), { headers: known ? { 'If-None-Match': known } : {} });
      return { job: response.status === 304 ? null : read(await response.text()), etag: response.headers.get('ETag') || '' };
    },
    file: (id, file) => call('GET', fileAt(id, file)),
    async listing(id, status) {
      const files = [];
      let deleted;
      let after = null;
      do {
        const page = await call('GET', `${at(id)}/files${query({ limit: 500, after, status })}`);
        files.push(...page.files);
        deleted ??= page.deleted;
        after = page.next;
      } while (after !== null);
      return { files, deleted };
    },
    async allFiles(id, status) {
      return (await this.listing(id, status)).files;
    },

    openJob({ recipe, name }, key) {
      const form = new FormData();
      form.append('recipe', JSON.stringify(recipe));
      if (name) form.append('name', name);
      return call('POST', '/api/jobs?open=true', { form, headers: { 'Idempotency-Key': key } });
    },
    addFile(id, { file, name }, options) {
      const form = new FormData();
      form.append('index', String(options.index));
      form.append('files', file, name);
      return sendForm(`${base}${at(id)}/files`, form, read, { ...options, shown });
    },
    act: (id, verb, file) => call('POST', `${at(id)}/${verb}${query({ file })}`),
    reprocess: (id, redo) => call('POST', `${at(id)}/reprocess`, { form: JSON.stringify(redo), headers: JSON_TYPE }),
    undo: (id, files) => call('POST', `${at(id)}/undo`, { form: JSON.stringify({ files }), headers: JSON_TYPE }),
    accept: (id, file) => call('POST', `${fileAt(id, file)}/accept`),
    setCrop: (id, file, frame) => (frame ? call('PUT', `${fileAt(id, file)}/crop`, { form: JSON.stringify(frame), headers: JSON_TYPE })
      : call('DELETE', `${fileAt(id, file)}/crop`)),
    putMask: (id, file, mask) => call('PUT', `${fileAt(id, file)}/mask`, { form: mask, headers: { 'Content-Type': 'image/png' } }),
    deleteMask: (id, file) => call('DELETE', `${fileAt(id, file)}/mask`),
    async deleteJob(id, keepalive) {
      await answer('DELETE', at(id), { keepalive });
    },

    url: {
      zip: (id) => `${base}${at(id)}/download`,
      mask: (id, file) => `${base}${fileAt(id, file)}/mask`,
      result: (id, file, output) => `${base}${fileAt(id, file)}/result${output ? `/${encodeURIComponent(output)}` : ''}`,
      thumbnail: (id, file, options = {}) => `${base}${fileAt(id, file)}/thumbnail${query(options)}`,
      socket(id, since) {
        const url = new URL(`${base}/ws/job/${encodeURIComponent(id)}${query({ since: since || null })}`, location.href);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        return url.href;
      },
    },
  };
}

/**
 * Sends a form with XMLHttpRequest, which alone reports how much has been sent.
 * @param {string} url @param {FormData} form @param {(text: string) => any} read @param {SendOptions & {shown: Record<string, string>}} options
 * @returns {Promise<{files: JobFile[], job: Job}>}
 */
function sendForm(url, form, read, { key, onFraction, signal, shown }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    for (const [name, value] of Object.entries(shown)) request.setRequestHeader(name, value);
    request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (event) => event.lengthComputable && onFraction(event.loaded / event.total);
    request.onload = () => {
      const body = parse(request.responseText, read);
      if (request.status < 300 && body) resolve(body);
      else reject(new ProblemError(request.status, body));
    };
    request.onerror = () => reject(new OfflineError());
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}

/** @param {number} attempt 0 for the first wait @returns {number} milliseconds */
export function delayOf(attempt) {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return ceiling * (0.5 + Math.random() / 2);
}

/** @param {number} milliseconds @param {AbortSignal} [signal] ends the wait early */
export function sleep(milliseconds, signal) {
  return /** @type {Promise<void>} */ (new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  }));
}
