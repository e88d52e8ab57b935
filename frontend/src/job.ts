/** One job as an embedding page sees it: photos in, callbacks out. */

import { createClient, OfflineError, ProblemError, serverOf } from '../../static/js/core/client.js';
import { el } from '../../static/js/core/dom.js';
import { nameOf, usable } from '../../static/js/core/entries.js';
import { createSession } from '../../static/js/core/session.js';
import { same } from '../../static/js/core/same.js';
import { isFinal } from '../../static/js/core/store.js';
import type { Entry, FileView, Frame, Job, JobClient, Preset, Progress, Recipe, State, Translate } from '../../static/js/core/types.js';

/** What is made where nothing is said. */
export const CUTOUT: Recipe = { operations: [{ op: 'remove_background' }], outputs: [{ name: 'full', format: 'png' }] };

/** What went wrong, for a person and for a program. */
export interface PhotoFault {
  code: string;
  message: string;
  hint: string | null;
  cause: unknown;
}

export interface PhotoJobCallbacks {
  onJobCreated?: (job: Job) => void;
  onProgress?: (progress: Progress, job: Job) => void;
  /** A photo is done, or has failed: see its `status` and `error`. */
  onFileComplete?: (file: FileView, job: Job) => void;
  onComplete?: (job: Job) => void;
  onError?: (fault: PhotoFault) => void;
}

export interface PhotoJobOptions {
  /** Address of the server; empty: where this page came from. */
  endpoint?: string;
  /** Where the server asks for a key. Whoever can read this page can read it: give one of the scope `submit`. */
  apiKey?: string;
  /** Names a job of several photos. */
  t: Translate;
  /** Reads the server's JSON, such as with its texts in another language. */
  read?: (text: string) => any;
  callbacks?: PhotoJobCallbacks;
}

export interface PhotoJob {
  client: JobClient;
  get: () => State;
  subscribe: (listener: () => void) => () => void;
  /** Who is told; replaces those told before. */
  tell: (callbacks: PhotoJobCallbacks) => void;
  /** Follows a job of the server. */
  open: (id: string) => Promise<void>;
  /** Photos for the job under way, else for a new one. */
  add: (entries: Entry[], recipe: Recipe) => Promise<void>;
  act: (verb: 'cancel' | 'pause' | 'resume') => Promise<void>;
  /** A failed photo again, else all of them. */
  retry: (file?: FileView) => Promise<void>;
  /** Photos once more: by another recipe or model, without either as they were done. */
  redo: (files: readonly FileView[], how?: { recipe?: Recipe; model?: string }) => Promise<void>;
  /** Photos as they were before they were last done again or corrected. */
  undo: (files: readonly FileView[]) => Promise<void>;
  /** Photos of which that is kept. */
  undoable: () => FileView[];
  /** Says that a photo to look at is fine. */
  accept: (file: FileView) => Promise<void>;
  /** All of an ended job once more. */
  redoAll: (recipe: Recipe) => Promise<void>;
  /** How a job was made that was opened, not sent from here. */
  opened: () => Recipe | null;
  /** That in words: the title of a preset that makes the same, else the titles of its steps. */
  madeAs: (recipe: Recipe, presets: readonly Preset[]) => Promise<string>;
  /** Whether the job has ended and, as far as is known, was made by another recipe. */
  mayRedo: (recipe: Recipe) => boolean;
  /** Asks for the size, the engine and the crop of a photo. Rejects where that fails, and tells nobody. */
  detail: (file: FileView) => Promise<void>;
  /** Cuts out another part of it; null: as the server does by itself. Rejects where that fails, as does `setMask`. */
  setCrop: (file: FileView, frame: Omit<Frame, 'manual'> | null) => Promise<void>;
  /** A mask drawn by hand takes the place of the model's; null gives that back. */
  setMask: (file: FileView, mask: Blob | null) => Promise<void>;
  /** What an `<img>` shows of an address of `client.url`: with a key, nothing until it has been fetched. */
  picture: (url: string) => string | undefined;
  /** As `picture`, waited for. */
  fetchPicture: (url: string) => Promise<string>;
  /** Told when `picture` has another answer. */
  onPicture: (listener: () => void) => () => void;
  /** Tells of what goes wrong in it. */
  attempt: (action: () => Promise<unknown>) => Promise<void>;
  /** Told of what goes wrong, beside `onError`. */
  onFault: (listener: (fault: PhotoFault) => void) => () => void;
  /** For a click on a link to an address of `client.url`: a link cannot show a key. */
  saves: (url: string) => ((event: { preventDefault: () => void }) => void) | undefined;
  /** Shows nothing; what is being sent goes on. */
  close: () => void;
}

export function createPhotoJob({ endpoint = '', apiKey = '', t, read, callbacks = {} }: PhotoJobOptions): PhotoJob {
  const client = createClient(serverOf(endpoint), read, apiKey);
  const pictures = createPictures(client);
  const session = createSession(client, () => fail(new ProblemError(404, { code: 'job_not_found', detail: t('noticeNoJob') })));
  const { store } = session;
  let told = callbacks;
  let known = nothingKnown('');
  let made: Recipe | null = null; // the recipe that the job was last sent with
  let isOpened = false; // it was there before, not sent from here
  const faults = new Set<(fault: PhotoFault) => void>();

  function fail(cause: unknown) {
    if (cause instanceof DOMException && cause.name === 'AbortError') return;
    const fault = faultOf(cause);
    told.onError?.(fault);
    for (const listener of faults) listener(fault);
  }

  async function insist(action: () => Promise<unknown>) {
    try {
      await action();
    } catch (error) {
      fail(error);
      throw error;
    }
  }
  const attempt = (action: () => Promise<unknown>) => insist(action).catch(() => {});

  store.subscribe((state) => {
    const { job } = state;
    if (!job) return;
    if (known.id !== job.id) known = nothingKnown(job.id);
    if (known.earlier && state.seq === 0) return; // a job that was there before: its snapshot is to come
    const silent = known.earlier;
    known.earlier = false;
    for (const key of state.changed) tellFile(state.files.get(key), job, silent);
    tellJob(job, silent);
  });

  function tellFile(file: FileView | undefined, job: Job, silent: boolean) {
    if (!file?.id) return;
    const ended = file.status === 'completed' || file.status === 'failed';
    if (!ended) known.files.delete(file.id);
    else if (!known.files.has(file.id)) {
      known.files.add(file.id);
      if (!silent) told.onFileComplete?.(file, job);
    }
  }

  function tellJob(job: Job, silent: boolean) {
    const { processed, total } = job.progress;
    const progress = `${processed}/${total}`;
    const changed = progress !== known.progress;
    const ended = isFinal(job) && !known.ended;
    known.progress = progress;
    known.ended = isFinal(job);
    if (changed) told.onProgress?.(job.progress, job);
    if (ended && !silent) told.onComplete?.(job);
  }

  return {
    client,
    get: store.get,
    subscribe: store.subscribe,
    tell: (callbacks) => {
      told = callbacks;
    },
    open: (id) => attempt(async () => {
      if (store.get().job?.id === id) return;
      known = { ...nothingKnown(id), earlier: true };
      made = null;
      isOpened = true;
      await session.open(id);
    }),
    add: (all, recipe) => attempt(async () => {
      const { entries } = usable(all);
      if (!entries.length) throw new ProblemError(415, { code: 'no_photos', detail: t('nothingUsable') });
      if (session.add(entries)) return;
      made = recipe;
      isOpened = false;
      told.onJobCreated?.(await session.submit(entries, { recipe, name: nameOf(entries, t) }));
    }),
    act: (verb) => attempt(() => session.act(verb)),
    retry: (file) => attempt(async () => (file && !file.id ? session.retryUpload(file.key) : session.retry(file?.id ?? undefined))),
    redo: (files, { recipe, model } = {}) => attempt(async () => {
      const ids = files.flatMap(({ id }) => id ?? []);
      if (ids.length) await session.again((id) => client.reprocess(id, { ...recipe, ...(model ? { model } : {}), files: ids }));
    }),
    undo: (files) => attempt(async () => {
      const ids = files.flatMap(({ id }) => id ?? []);
      if (ids.length) await session.again((id) => client.undo(id, ids));
      made = null; // by which recipe they are now is not known here
    }),
    undoable: () => [...store.get().files.values()].filter(({ can_undo }) => can_undo),
    redoAll: (recipe) => attempt(async () => {
      await session.again((id) => client.reprocess(id, recipe));
      made = recipe;
    }),
    opened: () => (isOpened ? store.get().job?.recipe ?? null : null),
    madeAs: async (recipe, presets) => (await import('./later.js')).madeAs(client, recipe, presets),
    mayRedo: (recipe) => {
      const { job, counts } = store.get();
      return isFinal(job) && counts.done + counts.look > 0 && !same(recipe, made) && !same(recipe, job?.recipe);
    },
    detail: (file) => session.detail(file.id!),
    accept: (file) => attempt(() => session.again((id) => client.accept(id, file.id!))),
    setCrop: (file, frame) => insist(() => session.again((id) => client.setCrop(id, file.id!, frame))),
    setMask: (file, mask) => insist(() => session.again((id) => (mask ? client.putMask(id, file.id!, mask) : client.deleteMask(id, file.id!)))),
    picture: pictures.get,
    fetchPicture: pictures.fetch,
    onPicture: pictures.subscribe,
    attempt,
    onFault: (listener) => {
      faults.add(listener);
      return () => faults.delete(listener);
    },
    saves: (url) => (client.keyed ? (event) => {
      event.preventDefault();
      attempt(async () => el('a', { href: await client.ticketed(url), download: '' }).click());
    } : undefined),
    close: () => {
      session.close();
      pictures.forget();
    },
  };
}

/** The presets of those names, or all; says in the console which of them there are none of. Rejects with a PhotoFault. */
export async function presetsOf(client: JobClient, names: readonly string[] | undefined, t: Translate): Promise<Preset[]> {
  try {
    const { presets } = await client.presets();
    const found = presets.filter(({ name }) => !names?.length || names.includes(name));
    if (names && found.length < names.length) import('./later.js').then(({ warnOfPresets }) => warnOfPresets(names, presets));
    return found;
  } catch (error) {
    const fault = faultOf(error);
    throw await import('./later.js').then(({ diagnosed }) => diagnosed(fault, client, t), () => fault);
  }
}

/** An `<img>` cannot show a key, so its bytes are fetched, and kept until they are forgotten. */
function createPictures(client: JobClient) {
  const made = new Map<string, Promise<string>>();
  const ready = new Map<string, string>();
  const listeners = new Set<() => void>();

  function fetch(url: string): Promise<string> {
    if (!client.keyed) return Promise.resolve(url);
    let coming = made.get(url);
    if (!coming) {
      coming = client.bytes(url).then((blob) => {
        const address = URL.createObjectURL(blob);
        ready.set(url, address);
        for (const listener of listeners) listener();
        return address;
      });
      made.set(url, coming);
    }
    return coming;
  }

  return {
    fetch,
    get(url: string) {
      if (!client.keyed) return url;
      fetch(url).catch(() => {}); // a photo that cannot be read has no picture
      return ready.get(url);
    },
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    forget() {
      for (const address of ready.values()) URL.revokeObjectURL(address);
      ready.clear();
      made.clear();
    },
  };
}

const nothingKnown = (id: string) => ({ id, earlier: false, progress: '', ended: false, files: new Set<string>() });

/** What a person is told. */
export const textOf = ({ message, hint }: PhotoFault) => [message, hint].filter(Boolean).join(' ');

export function faultOf(cause: unknown): PhotoFault {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof ProblemError) return { code: cause.code, message, hint: cause.hint, cause };
  return { code: cause instanceof OfflineError ? 'offline' : 'unexpected', message, hint: null, cause };
}
