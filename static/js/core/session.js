/**
 * One job at a time, from the drop to the last result: upload queue, socket and store held together.
 *
 * @import { Job, JobClient, NewJob, Session } from './types.js'
 */

import { ProblemError } from './client.js';
import { followJob } from './socket.js';
import { createStore, isFinal } from './store.js';
import { UploadQueue } from './upload.js';

/** @param {JobClient} client @param {() => void} onGone  The job shown is no longer there. @returns {Session} */
export function createSession(client, onGone) {
  const store = createStore();
  /** @type {Set<UploadQueue>} */ const queues = new Set(); // they go on while another job is shown
  /** @type {UploadQueue|null} */ let queue = null;
  let unfollow = () => {};
  let jobId = '';

  /** Events name only the codes of what is to be looked at; the sentences are asked for, not more than once a second. */
  let asking = false;
  store.subscribe(({ files, changed }) => {
    const id = jobId;
    if (asking || !id || ![...changed].some((key) => files.get(key)?.review?.some(({ message }) => !message))) return;
    asking = true;
    setTimeout(async () => {
      asking = false;
      const found = id === jobId ? await client.allFiles(id, 'review').catch(() => []) : [];
      if (id === jobId) for (const file of found) store.dispatch({ type: 'detail', file });
    }, 1_000);
  });

  /** @param {string} id */
  function follow(id) {
    unfollow();
    unfollow = followJob({
      client,
      jobId: id,
      onEvent: (event) => store.dispatch({ type: 'event', event }),
      onPoll: (job, listing) => store.dispatch({ type: 'polled', job, ...listing }),
      onLink: (link) => store.get().link !== link && store.dispatch({ type: 'link', link }),
      onGone: () => id === jobId && gone(),
    });
  }

  function close() {
    unfollow();
    unfollow = () => {};
    queue = null;
    jobId = '';
    store.dispatch({ type: 'reset' });
  }

  function gone() {
    drop(queue);
    close();
    onGone();
  }

  /** @param {UploadQueue|null} stopped */
  function drop(stopped) {
    stopped?.stop();
    if (stopped) queues.delete(stopped);
  }

  /** @param {Job} job */
  const onJob = (job) => job.id === jobId && store.dispatch({ type: 'job', job });

  /** @param {NewJob} job */
  function createQueue(job) {
    /** @type {UploadQueue} */
    const own = new UploadQueue({
      client,
      job,
      onItems: (items) => own === queue && store.dispatch({ type: 'items', items }),
      onFiles: (item, files, answer) => {
        if (own !== queue) return;
        store.dispatch({ type: 'received', item, files });
        onJob(answer);
      },
      onJob: (answer) => {
        if (own === queue && !jobId) jobId = answer.id;
        onJob(answer);
      },
      onLink: (online) => own === queue && store.dispatch({ type: 'link', link: online ? 'live' : 'offline' }),
    });
    queues.add(own);
    return own;
  }

  return {
    store,
    close,

    get busy() {
      return [...queues].some((one) => one.busy);
    },

    async open(id) {
      if (store.get().job?.id === id) return;
      close();
      jobId = id;
      const job = await client.job(id);
      if (jobId !== id) return;
      onJob(job);
      queue = [...queues].find((one) => one.jobId === id) ?? null;
      if (queue) store.dispatch({ type: 'items', items: queue.items });
      follow(id);
    },

    get sending() {
      return queue?.busy ?? false;
    },

    get holdsPhotos() {
      return (queue?.items.length ?? 0) > 0;
    },

    async submit(entries, job) {
      close();
      const own = createQueue(job);
      queue = own;
      own.add(entries);
      try {
        const opened = await own.open();
        if (own === queue) follow(opened.id);
        return opened;
      } catch (error) {
        drop(own);
        if (own === queue) close();
        throw error;
      }
    },

    add(entries) {
      if (!queue?.busy) return false;
      queue.add(entries);
      return true;
    },

    async act(verb) {
      if (verb === 'cancel') drop(queue);
      onJob(await client.act(jobId, verb));
    },

    async again(ask) {
      const id = jobId;
      onJob(await ask(id));
      if (id === jobId) follow(id);
    },

    retry(file) {
      return this.again((id) => client.act(id, 'retry', file));
    },

    retryUpload: (key) => queue?.retry(key),

    async seal() {
      if (queue) await queue.seal();
      else onJob(await client.act(jobId, 'seal'));
    },

    async refresh() {
      const id = jobId;
      const known = store.get().job;
      if (!id || !isFinal(known)) return;
      try {
        const job = await client.job(id);
        const listing = job.updated_at !== known?.updated_at && isFinal(job) && await client.listing(id);
        if (id !== jobId) return;
        if (!isFinal(job)) follow(id);
        if (listing) store.dispatch({ type: 'polled', job, ...listing });
        else onJob(job);
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404 && id === jobId) gone();
      }
    },

    async detail(fileId) {
      const id = jobId;
      const file = await client.file(id, fileId);
      if (id === jobId) store.dispatch({ type: 'detail', file });
    },
  };
}
