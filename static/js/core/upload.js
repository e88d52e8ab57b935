/**
 * Uploads photos into one open job: open, then each file in a request of its own, then seal.
 * A file is retried alone; while the server cannot be reached the queue waits for it.
 *
 * @import { Entry, Item, Job, Upload, UploadOptions } from './types.js'
 */

import { OfflineError, ProblemError, delayOf, isTransient, sleep, token } from './client.js';

const PARALLEL = 3;
const ATTEMPTS = 6;

export class UploadQueue {
  /** @param {UploadOptions} options */
  constructor(options) {
    this.options = options;
    this.openKey = token();
    /** @type {Array<Upload>} */ this.waiting = [];
    /** @type {Map<string, Upload>} */ this.refused = new Map();
    /** @type {Map<string, Item>} */ this.unsent = new Map();
    this.running = 0;
    this.count = 0; // of all that were added: their places in the job
    this.sealed = false;
    this.abort = new AbortController();
    /** @type {string|null} */ this.jobId = null;
  }

  /** Whether leaving the page now would lose a photo. */
  get busy() {
    return !this.sealed && !this.abort.signal.aborted && (this.waiting.length > 0 || this.running > 0 || !this.jobId);
  }

  /** What the server has not confirmed. */
  get items() {
    return [...this.unsent.values()];
  }

  /** @param {Entry[]} entries */
  add(entries) {
    const added = entries.map((entry) => {
      const key = token();
      return { entry, key, index: ++this.count, item: /** @type {Item} */ ({ key, name: entry.name, state: 'waiting', fraction: 0, error: null }) };
    });
    this.waiting.push(...added);
    for (const { item } of added) this.unsent.set(item.key, item);
    this.options.onItems(added.map(({ item }) => item));
    if (this.jobId) this.pump();
  }

  /** Opens the job; throws where the server refuses it. @returns {Promise<Job>} */
  async open() {
    const { client, job } = this.options;
    const opened = await this.persist(() => client.openJob(job, this.openKey));
    this.jobId = opened.id;
    this.options.onJob(opened);
    this.pump();
    return opened;
  }

  /** Sends an upload again that has failed. @param {string} key */
  retry(key) {
    const upload = this.refused.get(key);
    if (!upload) return;
    this.refused.delete(key);
    this.update(upload, { state: 'waiting', fraction: 0, error: null });
    this.waiting.push(upload);
    this.pump();
  }

  /** Ends the job here: what was not sent is left out. */
  async seal() {
    if (this.sealed || !this.jobId) return;
    this.sealed = true;
    const { client, onJob } = this.options;
    const id = this.jobId;
    onJob(await this.persist(() => client.act(id, 'seal')));
  }

  stop() {
    this.abort.abort();
    this.waiting = [];
    this.unsent.clear();
  }

  pump() {
    while (this.running < PARALLEL && this.waiting.length && !this.abort.signal.aborted) {
      const next = /** @type {Upload} */ (this.waiting.shift());
      this.running++;
      this.send(next).finally(() => {
        this.running--;
        this.pump();
      });
    }
    const mayTryAgain = [...this.refused.values()].some(({ item }) => item.error?.code !== 'refused');
    if (!this.running && !this.waiting.length && !mayTryAgain && !this.abort.signal.aborted) {
      this.seal().catch((error) => console.warn(error));
    }
  }

  /** @param {Upload} upload */
  async send(upload) {
    const { client, onFiles } = this.options;
    const id = /** @type {string} */ (this.jobId);
    const { signal } = this.abort;
    /** @param {number} fraction */
    const onFraction = (fraction) => this.update(upload, { fraction });
    try {
      this.update(upload, { state: 'sending' });
      const { files, job } = await this.persist(() => client.addFile(id, upload.entry, { key: upload.key, index: upload.index, onFraction, signal }));
      this.update(upload, { state: 'sent', fraction: 1 });
      onFiles(upload.item, files, job);
    } catch (error) {
      if (!signal.aborted) this.refuse(upload, error);
    }
  }

  /** @param {Upload} upload @param {unknown} error */
  refuse(upload, error) {
    const code = isTransient(error) ? 'upload_failed' : 'refused';
    const hint = error instanceof ProblemError ? error.hint : null;
    this.refused.set(upload.key, upload);
    this.update(upload, { state: 'failed', error: { code, message: error instanceof Error ? error.message : String(error), hint } });
  }

  /** @param {{item: Item}} upload @param {Partial<Item>} change */
  update(upload, change) {
    upload.item = { ...upload.item, ...change };
    if (upload.item.state === 'sent') this.unsent.delete(upload.item.key);
    else this.unsent.set(upload.item.key, upload.item);
    this.options.onItems([upload.item]);
  }

  /**
   * Repeats what failed for a passing reason: without end while there is no server, else a few times.
   * @template T @param {() => Promise<T>} action @returns {Promise<T>}
   */
  async persist(action) {
    for (let attempt = 0, refusals = 0; ; attempt++) {
      try {
        const result = await action();
        if (attempt) this.options.onLink(true);
        return result;
      } catch (error) {
        const offline = error instanceof OfflineError;
        if (!offline) refusals++;
        if (this.abort.signal.aborted || !isTransient(error) || refusals >= ATTEMPTS) throw error;
        if (offline) this.options.onLink(false);
        await sleep(delayOf(attempt), this.abort.signal);
        if (this.abort.signal.aborted) throw error;
      }
    }
  }
}
