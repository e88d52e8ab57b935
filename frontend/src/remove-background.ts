/** One photo in, its cutout out. */

import { OfflineError, ProblemError, createClient, delayOf, sleep } from '../../static/js/core/client.js';
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
  format?: 'png' | 'webp' | 'jpeg' | 'avif' | 'tiff';
  /** Leave the job and its photo on the server, until its time runs out. */
  keep?: boolean;
  signal?: AbortSignal;
  onProgress?: (job: Job) => void;
}

/** Rejects with a ProblemError where the server refuses the photo or fails on it; its `code` is the server's. */
export async function removeBackground(file: Blob, options: RemoveBackgroundOptions = {}): Promise<Blob> {
  const { endpoint = '', apiKey = '', keep = false, signal, onProgress, ...fields } = options;
  const base = endpoint.replace(/\/+$/, '');
  const client = createClient(base, JSON.parse, apiKey);
  const headers: Record<string, string> = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  const form = new FormData();
  form.append('files', file, file instanceof File ? file.name : 'photo');
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, value);
  const job: Job = await (await request(`${base}/api/jobs`, { method: 'POST', body: form, signal, headers })).json();
  try {
    await ended(job.id);
    const [photo] = await client.allFiles(job.id);
    if (photo?.status !== 'completed') throw new ProblemError(422, { ...photo?.error, detail: photo?.error?.message });
    return await (await request(client.url.result(job.id, photo.id), { signal, headers })).blob();
  } finally {
    if (!keep) await client.deleteJob(job.id).catch(() => {}); // it may be running still, or gone: its time runs out
  }

  async function ended(id: string) {
    for (let attempt = 0, etag = ''; ; attempt++) {
      signal?.throwIfAborted();
      const answer = await client.jobIfChanged(id, etag);
      etag = answer.etag;
      if (answer.job) onProgress?.(answer.job);
      if (answer.job && ['completed', 'failed', 'cancelled'].includes(answer.job.status)) return;
      await sleep(Math.min(delayOf(attempt), 1_000), signal);
    }
  }
}

async function request(url: string, options: { method?: string; body?: FormData; signal?: AbortSignal; headers?: Record<string, string> }) {
  const response = await fetch(url, options).catch((error) => {
    throw options.signal?.aborted ? error : new OfflineError();
  });
  if (response.ok) return response;
  throw new ProblemError(response.status, await response.json().catch(() => null));
}
