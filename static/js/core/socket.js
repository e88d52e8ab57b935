/**
 * Follows one job: by WebSocket, reconnecting; by polling while the WebSocket cannot be had.
 *
 * @import { FollowOptions, JobEvent } from './types.js'
 */

import { OfflineError, ProblemError, delayOf } from './client.js';
import { isFinal } from './store.js';

const WATCHDOG_MS = 35_000; // the server's heartbeat comes every 15 s
const POLL_MS = 2_000;
const FAILURES_BEFORE_POLLING = 2;
const CLOSE_NOT_FOUND = 4404;
const CLOSE_FOREIGN_ORIGIN = 4403;

/** @param {FollowOptions} options @returns {() => void} stops following */
export function followJob(options) {
  const follower = new Follower(options);
  follower.connect();
  return () => follower.stop();
}

class Follower {
  /** @param {FollowOptions} options */
  constructor(options) {
    this.options = options;
    this.seq = 0;
    this.failures = 0;
    this.stopped = false;
    this.opening = false;
    this.etag = '';
    /** @type {WebSocket|null} */ this.socket = null;
    /** @type {Record<'watchdog'|'reconnect'|'poll', ReturnType<typeof setTimeout>|undefined>} */
    this.timers = { watchdog: undefined, reconnect: undefined, poll: undefined };
    this.hurry = () => { if (this.socket === null) this.connect(); };
    addEventListener('online', this.hurry);
  }

  async connect() {
    if (this.stopped || this.opening) return;
    clearTimeout(this.timers.reconnect);
    const { client, jobId } = this.options;
    this.opening = true;
    const url = await client.ticketed(client.url.socket(jobId, this.seq)).catch(() => null);
    this.opening = false;
    if (url) this.open(url);
    else this.closed(1006);
  }

  /** @param {string} url */
  open(url) {
    if (this.stopped) return;
    const socket = new WebSocket(url);
    this.socket = socket;
    this.watch();
    socket.onmessage = (message) => socket === this.socket && this.receive(this.options.client.read(message.data));
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
  }

  /** @param {JobEvent|{type: 'heartbeat', seq: number}} message */
  receive(message) {
    this.watch();
    this.failures = 0;
    this.stopPolling();
    this.options.onLink('live');
    if (message.type !== 'progress') return;
    this.seq = message.seq;
    this.options.onEvent(message);
    if (message.final) this.finish();
  }

  /** @param {number} code */
  closed(code) {
    this.socket = null;
    clearTimeout(this.timers.watchdog);
    if (this.stopped) return;
    if (code === CLOSE_NOT_FOUND) return this.gone();
    if (code === CLOSE_FOREIGN_ORIGIN) return this.poll();
    this.failures++;
    if (this.failures >= FAILURES_BEFORE_POLLING && !this.timers.poll) this.poll();
    this.timers.reconnect = setTimeout(() => this.connect(), delayOf(this.failures - 1));
  }

  /** A connection that says nothing for too long is dead, whatever the browser believes. */
  watch() {
    clearTimeout(this.timers.watchdog);
    this.timers.watchdog = setTimeout(() => {
      const silent = this.socket;
      this.closed(1006);
      silent?.close();
    }, WATCHDOG_MS);
  }

  async poll() {
    this.timers.poll = setTimeout(() => this.poll(), POLL_MS);
    const { client, jobId, onPoll, onLink } = this.options;
    try {
      const { job, etag } = await client.jobIfChanged(jobId, this.etag);
      const listing = job && await client.listing(jobId);
      if (this.stopped || !this.timers.poll) return;
      this.etag = etag;
      onLink('polling');
      if (job && listing) onPoll(job, listing);
      if (job && isFinal(job)) this.finish();
    } catch (error) {
      if (this.stopped) return;
      if (error instanceof ProblemError && error.status === 404) this.gone();
      else if (error instanceof OfflineError) onLink('offline');
    }
  }

  stopPolling() {
    clearTimeout(this.timers.poll);
    this.timers.poll = undefined;
  }

  gone() {
    this.stop();
    this.options.onGone();
  }

  finish() {
    this.stop();
    this.options.onLink('idle');
  }

  stop() {
    this.stopped = true;
    removeEventListener('online', this.hurry);
    clearTimeout(this.timers.watchdog);
    clearTimeout(this.timers.reconnect);
    this.stopPolling();
    const { socket } = this;
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(); // sooner, browsers call it a failure
    else socket?.close();
    this.socket = null;
  }
}
