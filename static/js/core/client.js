/**
 * The server's HTTP calls. Errors are `ProblemError` (the server said no) or `OfflineError` (it said nothing).
 *
 * @import { Catalogue, Entry, Job, JobFile, ModelList, Preset, Recipe, RequestOptions, SendOptions } from './types.js'
 */

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

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A random token that needs no secure context. */
export function token() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {Record<string, string|number|undefined|null>} values */
function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : '';
}

/** @param {string} [base] address of the server without a slash at its end; empty: where this page came from */
export function createClient(base = '') {
  /** @param {string} method @param {string} path @param {RequestOptions} [options] */
  async function answer(method, path, { json, form, headers = {}, keepalive } = {}) {
    const body = json === undefined ? form : JSON.stringify(json);
    const all = json === undefined ? headers : { ...headers, 'Content-Type': 'application/json' };
    const response = await fetch(base + path, { method, body, keepalive, headers: all }).catch(() => {
      throw new OfflineError();
    });
    if (response.ok || response.status === 304) return response;
    throw new ProblemError(response.status, parse(await response.text()));
  }

  /** @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} */
  const call = async (method, path, options) => (await answer(method, path, options)).json();
  /** @param {string} id */
  const at = (id) => `/api/jobs/${encodeURIComponent(id)}`;
  /** @param {string} id @param {string} file */
  const fileAt = (id, file) => `${at(id)}/files/${encodeURIComponent(file)}`;

  return {
    base,
    /** @returns {Promise<import('./types.js').Catalogue>} */
    operations: () => call('GET', '/api/operations'),
    /** @returns {Promise<{presets: Preset[]}>} */
    presets: () => call('GET', '/api/presets'),
    /** @returns {Promise<import('./types.js').ModelList>} */
    models: () => call('GET', '/api/models'),
    /** @param {string} name */
    downloadModel: async (name) => {
      await answer('POST', `/api/models/${encodeURIComponent(name)}/download`);
    },
    /** @returns {Promise<import('./types.js').Entry>} */
    sample: async () => {
      const response = await answer('GET', '/api/sample');
      const named = /filename="?([^";]+)/.exec(response.headers.get('Content-Disposition') || '');
      return { file: await response.blob(), name: named ? named[1] : 'sample.jpg' };
    },

    /** @param {{limit?: number, before?: string|null}} [page] @returns {Promise<{jobs: Job[], next: string|null}>} */
    jobs: (page = {}) => call('GET', `/api/jobs${query(page)}`),
    /** @param {string} id @returns {Promise<Job>} */
    job: (id) => call('GET', at(id)),
    /** The job and its ETag; the job is null where it is still the one of `etag`. @param {string} id @param {string} etag */
    jobIfChanged: async (id, etag) => {
      const response = await answer('GET', at(id), { headers: etag ? { 'If-None-Match': etag } : {} });
      const job = response.status === 304 ? null : /** @type {Job} */ (await response.json());
      return { job, etag: response.headers.get('ETag') || '' };
    },
    /** @param {string} id @param {string} file @returns {Promise<JobFile>} */
    file: (id, file) => call('GET', fileAt(id, file)),
    /** Every file, over as many pages as it takes. @param {string} id */
    allFiles: async (id) => {
      /** @type {JobFile[]} */ const files = [];
      for (let after = null, more = true; more;) {
        const page = await call('GET', `${at(id)}/files${query({ limit: 500, after })}`);
        files.push(...page.files);
        after = page.next;
        more = after !== null;
      }
      return files;
    },

    /** @param {{recipe: Recipe, name?: string}} job @param {string} key @returns {Promise<Job>} */
    openJob: ({ recipe, name }, key) => {
      const form = new FormData();
      form.append('recipe', JSON.stringify(recipe));
      if (name) form.append('name', name);
      return call('POST', '/api/jobs?open=true', { form, headers: { 'Idempotency-Key': key } });
    },
    /** @param {string} id @param {Entry} entry @param {SendOptions} options */
    addFile: (id, entry, options) => {
      const form = new FormData();
      form.append('files', entry.file, entry.name);
      return sendForm(`${base}${at(id)}/files`, form, options);
    },
    /** @param {string} id @param {'seal'|'cancel'|'pause'|'resume'|'retry'} verb @param {unknown} [json] @returns {Promise<Job>} */
    act: (id, verb, json) => call('POST', `${at(id)}/${verb}`, { json }),
    /** @param {string} id @param {boolean} [keepalive] the page may be going away */
    deleteJob: async (id, keepalive) => {
      await answer('DELETE', at(id), { keepalive });
    },

    url: {
      /** @param {string} id */
      zip: (id) => `${base}${at(id)}/download`,
      /** @param {string} id @param {string} file */
      source: (id, file) => `${base}${fileAt(id, file)}/source`,
      /** @param {string} id @param {string} file @param {string} [output] */
      result: (id, file, output) => `${base}${fileAt(id, file)}/result${output ? `/${encodeURIComponent(output)}` : ''}`,
      /** @param {string} id @param {string} file @param {{of?: 'source', size?: number}} [options] */
      thumbnail: (id, file, options = {}) => `${base}${fileAt(id, file)}/thumbnail${query(options)}`,
      /** @param {string} id @param {number} since */
      socket: (id, since) => {
        const url = new URL(`${base}/ws/job/${encodeURIComponent(id)}${query({ since: since || null })}`, location.href);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        return url.href;
      },
    },
  };
}

/**
 * Sends a form with XMLHttpRequest, which alone reports how much has been sent.
 * @param {string} url @param {FormData} form @param {SendOptions} options
 * @returns {Promise<{files: JobFile[], job: Job}>}
 */
function sendForm(url, form, { key, onFraction, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (event) => event.lengthComputable && onFraction(event.loaded / event.total);
    request.onload = () => {
      const body = parse(request.responseText);
      if (request.status < 300 && body) resolve(body);
      else reject(new ProblemError(request.status, body));
    };
    request.onerror = () => reject(new OfflineError());
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
