/** Where the photo server is: empty where this page came from its root, a path where it came from below one. */

const own = new URL(import.meta.url);
const TAIL = '/static/js/base.js';
const path = own.pathname.endsWith(TAIL) ? own.pathname.slice(0, -TAIL.length) : '';
const copied = document.documentElement.dataset.endpoint;

/**
 * A page opened from disk has its modules from the server, so that is where they came from; a copy of the page on
 * another origin says it in `<html data-endpoint="...">`, never in its address, which anybody may have written.
 */
export const BASE = location.protocol === 'file:' ? own.origin + path : (copied ?? path);

/** Whether the server is of another origin than this page, so that it knows no cookie of ours. */
export const ELSEWHERE = location.protocol === 'file:' || copied !== undefined;
