/** Waiting between attempts: doubling from 0.5 s to 15 s, with jitter so that clients do not return in step. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

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
