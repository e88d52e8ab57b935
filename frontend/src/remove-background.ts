/** One photo in, its cutout out. */

import { OfflineError, ProblemError, createClient, delayOf, serverOf, sleep } from '../../static/js/core/client.js';
import { isFinal } from '../../static/js/core/store.js';
import type { Job } from '../../static/js/core/types.js';

export interface RemoveBackgroundOptions {
  /** Address of the server; empty: where this page came from. */
  endpoint?: string;
  /** Where the server asks for a key. */
  apiKey?: string;
  /** `auto`, or the name of a model of `GET /api/models`. */
  model?: string;
  /** `transparent`, `blur`, or a CSS colour. */
  background?: string;
  format?: 'png' | 'webp' | 'jpeg' | 'avif' | 'tiff' | 'gif' | 'bmp';
  /** Leave the job and its photo on the server, until its time runs out. */
  keep?: boolean;
  signal?: AbortSignal;
  onProgress?: (job: Job) => void;
}

/** Rejects with a ProblemError where the server refuses the photo or fails on it; its `code` is the server's. */
export async function removeBackground(file: Blob, options: RemoveBackgroundOptions = {}): Promise<Blob> {
  const { endpoint = '', apiKey = '', keep = false, signal, onProgress, ...fields } = options;
  const base = serverOf(endpoint);
  const client = createClient(base, JSON.parse, apiKey);
  const form = new FormData();
  form.append('files', file, file instanceof File ? file.name : 'photo');
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, value);
  const headers: Record<string, string> = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  const response = await fetch(`${base}/api/jobs`, { method: 'POST', body: form, signal, headers }).catch((error) => {
    throw signal?.aborted ? error : new OfflineError();
  });
  const job = await response.json().catch(() => null);
  if (!response.ok) throw new ProblemError(response.status, job);
  try {
    await ended(job.id);
    const [photo] = await client.allFiles(job.id);
    if (photo?.status !== 'completed') throw new ProblemError(422, { ...photo?.error, detail: photo?.error?.message });
    const cutout = await client.bytes(client.url.result(job.id, photo.id));
    signal?.throwIfAborted();
    return cutout;
  } finally {
    if (!keep) await client.deleteJob(job.id).catch(() => {}); // it may be running still, or gone: its time runs out
  }

  async function ended(id: string) {
    for (let attempt = 0, etag = ''; ; attempt++) {
      signal?.throwIfAborted();
      const answer = await client.jobIfChanged(id, etag);
      etag = answer.etag;
      if (answer.job) onProgress?.(answer.job);
      if (isFinal(answer.job)) return;
      await sleep(Math.min(delayOf(attempt), 1_000), signal);
    }
  }
}
