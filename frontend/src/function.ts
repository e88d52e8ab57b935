/** The function alone, fetched when it is first called. */

import type { RemoveBackgroundOptions } from './remove-background.js';

export type { RemoveBackgroundOptions } from './remove-background.js';

/** Rejects with a ProblemError where the server refuses the photo or fails on it; its `code` is the server's. */
export async function removeBackground(file: Blob, options?: RemoveBackgroundOptions): Promise<Blob> {
  return (await import('./later.js')).removeBackground(file, options);
}
