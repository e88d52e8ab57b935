/** Where the photo server is: empty where this page came from it. */

/**
 * A page opened from disk has its modules from the server, so that is where they came from; a copy of the page on
 * another origin says it in `<html data-endpoint="...">`, never in its address, which anybody may have written.
 */
export const BASE = location.protocol === 'file:' ? new URL(import.meta.url).origin : (document.documentElement.dataset.endpoint ?? '');
