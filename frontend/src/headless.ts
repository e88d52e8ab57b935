/** `usePhotoJob()`: everything but the looks. */

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { ChangeEvent, DragEvent } from 'react';
import { entriesOfDrop, entriesOfFiles } from '../../static/js/core/entries.js';
import { emptyState, isFinal, totals } from '../../static/js/core/store.js';
import { createStrings, en } from '../../static/js/core/strings.js';
import type { Entry, FileView, Recipe, State, Translate } from '../../static/js/core/types.js';
import { createPhotoJob } from './job.js';
import type { PhotoFault, PhotoJobCallbacks } from './job.js';
import { OWN_MESSAGES } from './messages.js';

export type { PhotoFault, PhotoJobCallbacks } from './job.js';
export type { FileView, Job, Preset, Progress, Recipe, State, Translate } from '../../static/js/core/types.js';
export type Messages = Partial<Record<string, string | { one: string; other: string }>>;

export interface UsePhotoJobOptions extends PhotoJobCallbacks {
  /** Address of the server; empty: where this page came from. */
  endpoint?: string;
  /** A job to show; without one, the photos that are added make one. */
  jobId?: string;
  /** What to make; without one, cutouts as PNG. */
  recipe?: Recipe;
  /** BCP 47, for numbers and dates. */
  locale?: string;
  /** Texts that replace the English ones. */
  messages?: Messages;
}

const CUTOUT: Recipe = { operations: [{ op: 'remove_background' }], outputs: [{ name: 'full', format: 'png' }] };
const NOTHING = emptyState();
const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');

export function createTranslate(locale = 'en', messages: Messages = {}): Translate {
  return createStrings({ ...en, ...OWN_MESSAGES, ...messages } as typeof en, locale);
}

export function usePhotoJob(options: UsePhotoJobOptions = {}) {
  const { endpoint, jobId, recipe = CUTOUT, locale, messages } = options;
  const t = useMemo(() => createTranslate(locale, messages), [locale, messages]);
  const [dragging, setDragging] = useState(false);
  const [fault, setFault] = useState<PhotoFault | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const words = useRef(t);
  words.current = t;
  const job = useMemo(() => createPhotoJob({ endpoint, t: (...given) => words.current(...given) }), [endpoint]);
  const state: State = useSyncExternalStore(job.subscribe, job.get, () => NOTHING);

  useEffect(() => job.tell({
    ...options,
    onJobCreated: (created) => {
      setFault(null);
      options.onJobCreated?.(created);
    },
    onError: (found) => {
      setFault(found);
      options.onError?.(found);
    },
  }));
  useEffect(() => {
    if (jobId) job.open(jobId);
  }, [job, jobId]);
  useEffect(() => () => job.close(), [job]);

  const add = useCallback((entries: Entry[]) => job.add(entries, recipe), [job, recipe]);
  const files = useMemo(() => state.order.flatMap((key) => state.files.get(key) ?? []), [state]);
  const id = state.job?.id ?? '';
  const done = state.counts.done + state.counts.look;

  return {
    state,
    job: state.job,
    files,
    progress: totals(state),
    /** `empty`: nothing was added; `ended`: completed, failed or cancelled. */
    phase: !state.job && !state.order.length ? 'empty' as const : isFinal(state.job) ? 'ended' as const : 'working' as const,
    dragging,
    /** The last refusal; `dismiss()` forgets it. */
    fault,
    t,
    client: job.client,
    add,
    addFiles: (chosen: Iterable<File>) => add(entriesOfFiles(chosen)),
    cancel: () => job.act('cancel'),
    pause: () => job.act('pause'),
    resume: () => job.act('resume'),
    retry: (file?: FileView) => job.retry(file),
    reset: () => job.close(),
    dismiss: () => setFault(null),

    /** For the element that photos can be dropped on. */
    getDropProps: () => ({
      'data-pp-dragging': dragging || undefined,
      onDragOver: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setDragging(true);
      },
      onDragLeave: (event: DragEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDragging(false);
      },
      onDrop: (event: DragEvent) => {
        setDragging(false);
        if (!carriesFiles(event)) return;
        event.preventDefault();
        entriesOfDrop(event.dataTransfer).then(add);
      },
    }),
    /** For a hidden `<input>`; `getChooseProps()` opens it. */
    getInputProps: () => ({
      ref: input,
      type: 'file' as const,
      multiple: true,
      hidden: true,
      onChange: (event: ChangeEvent<HTMLInputElement>) => {
        const chosen = entriesOfFiles(event.target.files ?? []);
        event.target.value = '';
        if (chosen.length) add(chosen);
      },
    }),
    getChooseProps: () => ({ type: 'button' as const, onClick: () => input.current?.click() }),
    /** For a failed photo's button. */
    getRetryProps: (file: FileView) => ({
      type: 'button' as const,
      'aria-label': t('retryNamed', { name: file.name }),
      onClick: () => job.retry(file),
    }),
    /** For a finished photo's link. */
    getDownloadProps: (file: FileView) => ({
      href: file.id && file.status === 'completed' ? `${job.client.url.result(id, file.id)}?download=1` : undefined,
      download: '',
      'aria-label': t('download', { name: file.name }),
    }),
    /** For the ZIP's link; without an address while nothing is done. */
    getZipProps: () => ({ href: id && done ? job.client.url.zip(id) : undefined, download: '' }),
    /** For a photo's picture: its result, else the photo itself. */
    getThumbnailProps: (file: FileView) => ({
      src: file.id ? job.client.url.thumbnail(id, file.id, file.status === 'completed' ? {} : { of: 'source' }) : undefined,
      alt: '',
      loading: 'lazy' as const,
    }),
  };
}

export type PhotoJobView = ReturnType<typeof usePhotoJob>;
