/** `usePhotoJob()`: everything but the looks. */

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { ChangeEvent, DragEvent } from 'react';
import { entriesOfDrop, entriesOfFiles } from '../../static/js/core/entries.js';
import { canRetry, emptyState, hasResult, isFinal, largestOf, shownKeys, totals } from '../../static/js/core/store.js';
import type { Entry, FileView, Recipe, State } from '../../static/js/core/types.js';
import { CUTOUT, createPhotoJob } from './job.js';
import type { PhotoFault, PhotoJobCallbacks } from './job.js';
import { english, loadLanguage } from './language.js';
import type { Messages } from './language.js';

export type { Messages } from './language.js';
export type { PhotoFault, PhotoJobCallbacks } from './job.js';
export type { FileView, Job, Preset, Progress, Recipe, State, Translate } from '../../static/js/core/types.js';
/** Which photos `shown` has. */
export type Filter = 'all' | 'done' | 'look' | 'failed';

export interface UsePhotoJobOptions extends PhotoJobCallbacks {
  /** Address of the server; empty: where this page came from. */
  endpoint?: string;
  /** Where the server asks for a key: one of the scope `submit`. Whoever can read your page can read it. */
  apiKey?: string;
  /** A job to show; without one, the photos that are added make one. */
  jobId?: string;
  /** What to make; without one, cutouts as PNG. */
  recipe?: Recipe;
  /** BCP 47: texts in English, German, Spanish or French, which the server has, and how numbers are written. */
  locale?: string;
  /** Texts that replace those of the locale. */
  messages?: Messages;
}

const NOTHING = emptyState();
const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');

export function usePhotoJob(options: UsePhotoJobOptions = {}) {
  const { endpoint, apiKey, jobId, recipe = CUTOUT, locale, messages } = options;
  const [language, setLanguage] = useState(() => english(locale, messages));
  const { t } = language;
  const [filter, setFilter] = useState<Filter>('all');
  const [, setPictures] = useState(0);
  const [dragging, setDragging] = useState(false);
  const [fault, setFault] = useState<PhotoFault | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const words = useRef(language);
  words.current = language;
  const job = useMemo(() => createPhotoJob({
    endpoint, apiKey, t: (...given) => words.current.t(...given), read: (text) => words.current.read(text),
  }), [endpoint, apiKey]);
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
  useEffect(() => job.onPicture(() => setPictures((n) => n + 1)), [job]);
  const wanted = `${locale} ${JSON.stringify(messages)}`; // messages may be new objects on every render
  const spoken = useRef(wanted);
  useEffect(() => {
    if (words.current.ready && spoken.current === wanted) return undefined;
    let current = true;
    loadLanguage(job.client, locale ?? 'en', messages).then((loaded) => {
      if (!current) return;
      spoken.current = wanted;
      setLanguage(loaded);
    });
    return () => {
      current = false;
    };
  }, [job, wanted]);

  const add = useCallback((entries: Entry[]) => job.add(entries, recipe), [job, recipe]);
  const files = useMemo(() => state.order.flatMap((key) => state.files.get(key) ?? []), [state]);
  const shown = useMemo(() => shownKeys(state, filter).flatMap((key) => state.files.get(key) ?? []), [state, filter]);
  const id = state.job?.id ?? '';
  const done = state.counts.done + state.counts.look;

  return {
    state,
    job: state.job,
    files,
    /** Those that the filter lets through. */
    shown,
    filter,
    setFilter,
    /** How many photos each filter shows. */
    counts: { all: files.length, done: state.counts.done + state.counts.look, look: state.counts.look, failed: state.counts.failed },
    progress: totals(state),
    /** `empty`: nothing was added; `ended`: completed, failed or cancelled. */
    phase: !state.job && !state.order.length ? 'empty' as const : isFinal(state.job) ? 'ended' as const : 'working' as const,
    dragging,
    /** The last refusal; `dismiss()` forgets it. */
    fault,
    t,
    language,
    photoJob: job,
    client: job.client,
    add,
    addFiles: (chosen: Iterable<File>) => add(entriesOfFiles(chosen)),
    cancel: () => job.act('cancel'),
    pause: () => job.act('pause'),
    resume: () => job.act('resume'),
    retry: (file?: FileView) => job.retry(file),
    /** Photos once more, by another recipe or model. */
    redo: job.redo,
    /** All of an ended job once more, by the recipe as it is now. */
    redoAll: () => job.redoAll(recipe),
    /** Photos as they were before they were last done again or corrected; without any, all that can be. */
    undo: (files?: readonly FileView[]) => job.undo(files ?? job.undoable()),
    /** Photos of which that is kept. */
    undoable: job.undoable(),
    /** Whether that would make something else. */
    mayRedo: job.mayRedo(recipe),
    /** Says that a photo to look at is fine. */
    accept: job.accept,
    canRetry,
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
    /** For one of the buttons that say which photos are shown. */
    getFilterProps: (name: Filter) => ({ type: 'button' as const, 'aria-pressed': filter === name, onClick: () => setFilter(name) }),
    /** For a finished photo's link. */
    getDownloadProps: (file: FileView) => {
      const url = file.id && file.status === 'completed' ? `${job.client.url.result(id, file.id, largestOf(file, state.job))}?download=1` : undefined;
      return { href: url, download: '', 'aria-label': t('download', { name: file.name }), onClick: url ? job.saves(url) : undefined };
    },
    /** For the ZIP's link; without an address while nothing is done. */
    getZipProps: () => {
      const url = id && done ? job.client.url.zip(id) : undefined;
      return { href: url, download: '', onClick: url ? job.saves(url) : undefined };
    },
    /** For a photo's picture: its result, else the photo itself. */
    getThumbnailProps: (file: FileView) => ({
      src: file.id ? job.picture(job.client.url.thumbnail(id, file.id, hasResult(file) ? { v: file.revision || undefined } : { of: 'source' })) : undefined,
      alt: '',
      loading: 'lazy' as const,
    }),
  };
}

export type PhotoJobView = ReturnType<typeof usePhotoJob>;
