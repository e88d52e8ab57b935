/**
 * The state of one job as a view needs it, and the one reducer that socket, polling and uploads go through.
 *
 * Every dispatch makes a new state object and new objects for the files that changed, so a view compares by identity;
 * the Map and the order of 10,000 files are kept, not copied.
 *
 * @import { Action, FileBrief, FileView, Group, Item, Job, JobEvent, JobFile, ReviewItem, State } from './types.js'
 */

const DETAILS = /** @type {const} */ (['name', 'index', 'number', 'caption', 'accepted', 'size', 'width', 'height', 'engine', 'outputs', 'faces', 'timings', 'attempts', 'recipe', 'crop', 'review', 'facts']);
const OPEN = new Set(['receiving', 'paused']);
const FINAL = new Set(['completed', 'failed', 'cancelled']);

/** @returns {State} */
export function emptyState() {
  return {
    job: null, files: new Map(), order: [], keys: new Map(), uploads: new Set(), changed: new Set(), gone: new Map(),
    counts: { done: 0, look: 0, failed: 0, active: 0, cancelled: 0, fallback: 0 },
    stage: null, model: null, link: 'idle', seq: 0,
  };
}

/** @param {FileView} file @returns {Group} */
export function groupOf(file) {
  if (file.status === 'completed') return file.review?.length || (file.warnings.length && !file.accepted) ? 'look' : 'done';
  if (file.status === 'failed' || file.status === 'refused') return 'failed';
  return file.status === 'cancelled' ? 'cancelled' : 'active';
}

/** Whether a filter lets the file through; what is to be looked at is done as well. @param {FileView} file @param {string} filter */
export function passes(file, filter) {
  const group = groupOf(file);
  return filter === 'all' || filter === group || (filter === 'done' && group === 'look');
}

/** The photos that a filter lets through; of those to look at, the ones with the most to say first. @param {State} state @param {string} filter */
export function shownKeys({ order, files }, filter) {
  const keys = order.filter((key) => passes(/** @type {FileView} */ (files.get(key)), filter));
  const weight = (/** @type {string} */ key) => files.get(key)?.review?.length ?? 0;
  return filter === 'look' ? keys.sort((one, other) => weight(other) - weight(one)) : keys;
}

/** Why a photo is to be looked at, or failed, in sentences. @param {FileView} file @returns {string[]} */
export function reasonsOf({ error, warnings, review = [] }) {
  const others = warnings.filter(({ code }) => !review.some((item) => item.code === code));
  const said = error ? [error.message, error.hint] : [...review, ...others].map(({ message }) => message);
  return [...new Set(said)].filter((one) => one !== undefined && one !== null && one !== '').map(String);
}

/** Whether there is a result to show: while a photo is being done again, that is the former one. @param {FileView} file */
export const hasResult = ({ status, can_undo }) => status === 'completed' || Boolean(can_undo && (status === 'queued' || status === 'processing'));

/** Whether trying again can help: what the server refused on arrival must be sent anew. @param {FileView} file */
export const canRetry = (file) => (file.id ? file.can_retry === true : file.status === 'refused' && file.error?.code !== 'refused');

/** A photo that cannot be read has no thumbnail to ask for, and no model helps. */
const UNREADABLE = /image|format|empty|archive|pixels|large/;

/** @param {FileView} file */
export const isReadable = ({ status, error }) => status !== 'failed' || !UNREADABLE.test(error?.code ?? '');

/** Whether a model finds its subject, so that another could be tried. @param {FileView} file @param {Job|null} job */
export const usesModel = (file, job) => Boolean((file.recipe ?? job?.recipe)?.operations.some(({ op }) => op === 'remove_background' || op === 'id_photo'));

/** Whether a photo that failed may come out by another model. @param {FileView} file @param {Job|null} job */
export const mayTryOther = (file, job) => file.id !== null && canRetry(file) && isReadable(file) && usesModel(file, job);

/** The name of a photo's largest picture: of its outputs where they are known, else as its recipe has them. @param {FileView} file @param {Job|null} job @returns {string|undefined} */
export function largestOf({ outputs, recipe }, job) {
  const specs = (recipe ?? job?.recipe)?.outputs ?? [];
  const px = (/** @type {any} */ { name, kind, width, height }) => (kind === 'mask' || specs.some((spec) => spec.name === name && spec.kind === 'mask') ? 0
    : (width || height || 1e5) * (height || width || 1e5));
  const all = /** @type {{name: string}[]} */ (outputs?.length ? outputs : specs);
  return all.length < 2 ? undefined : all.reduce((most, one) => (px(one) > px(most) ? one : most)).name;
}

/** @param {Job|null} job */
export const isFinal = (job) => job !== null && FINAL.has(job.status);

/** Whether something of the job is still to be done: an open one whose photos are all done waits for more. @param {Job} job */
export const isRunning = (job) => !isFinal(job) && (job.status !== 'receiving' || job.progress.processed < job.progress.total);

/** How far the job is, uploads that the server has not seen included. @param {State} state */
export function totals({ job, order, counts, gone }) {
  const hidden = [...gone.values()].filter((file) => file !== null);
  const ended = hidden.filter(({ status }) => status === 'completed' || status === 'failed').length;
  const total = Math.max((job?.progress.total ?? 0) - hidden.length, order.length);
  const processed = Math.max((job?.progress.processed ?? 0) - ended, counts.done + counts.look + counts.failed);
  return { total, processed, percentage: total ? (100 * processed) / total : 0 };
}

/** @param {State} state @param {Action} action @returns {State} */
function reduce(state, action) {
  if (action.type === 'reset') return emptyState();
  const next = { ...state, changed: new Set() };
  switch (action.type) {
    case 'event': return onEvent(next, action.event);
    case 'job': return onJob(next, action.job);
    case 'polled':
      for (const file of action.files) upsert(next, file);
      forget(next, action.deleted);
      arrange(next, action.job.status);
      return onJob(next, action.job);
    case 'hidden':
      hide(next, action.ids);
      return next;
    case 'shown':
      for (const [place, file] of action.files) show(next, place, file);
      return next;
    case 'detail': return onDetail(next, action.file);
    case 'items':
      for (const item of action.items) onItem(next, item);
      return next;
    case 'received': return onReceived(next, action.item, action.files);
    case 'link': return { ...next, link: action.link };
  }
}

/** @param {State} state @param {JobEvent} event @returns {State} */
function onEvent(state, event) {
  if (!event.snapshot && event.seq < state.seq) return state; // a stage has no number of its own
  for (const file of event.files) upsert(state, file);
  forget(state, event.deleted);
  if (event.files.length || OPEN.has(state.job?.status ?? '')) arrange(state, event.status);
  const { status, progress, metadata, error, eta } = event;
  const known = state.job?.id === event.job_id ? state.job : null;
  const job = known && { ...known, ...metadata, status, progress, error, eta };
  return { ...state, job, seq: event.seq, stage: event.stage, model: event.model };
}

/** Photos come into their places once a job has all of them: until then these go by who was first. @param {State} state @param {string} status */
function arrange(state, status) {
  const place = (/** @type {string} */ key) => state.files.get(key)?.index ?? Infinity;
  if (OPEN.has(status) || state.order.every((key, at) => at === 0 || place(state.order[at - 1]) <= place(key))) return;
  state.order = [...state.order].sort((one, other) => place(one) - place(other) || 0);
}

/** Answers overtake each other: an older one does not undo a newer. @param {State} state @param {Job} job */
function onJob(state, job) {
  const older = state.job?.id === job.id && job.updated_at < state.job.updated_at;
  return older ? state : { ...state, job };
}

/** Status and stage come from events alone: this answer may be older than they are. @param {State} state @param {any} file */
function onDetail(state, file) {
  const key = state.keys.get(file.id);
  const known = key === undefined ? undefined : state.files.get(key);
  if (known) put(state, { ...known, ...Object.fromEntries(DETAILS.map((name) => [name, file[name]])) });
  return state;
}

/** @param {State} state @param {Item} item */
function onItem(state, item) {
  const known = state.files.get(item.key);
  if (known?.id || (!known && item.state === 'sent')) return;
  put(state, {
    key: item.key, id: null, name: item.name, status: item.state === 'failed' ? 'refused' : 'uploading',
    stage: item.state, fraction: item.fraction, error: item.error, warnings: [],
  });
}

/** The upload's card becomes the first of its files; a ZIP's others follow. @param {State} state @param {Item} item @param {any[]} received */
function onReceived(state, item, received) {
  const files = received.filter(({ id }) => !state.gone.has(id));
  const [first] = files;
  const upload = state.files.get(item.key);
  if (upload && !upload.id) {
    if (first && !state.keys.has(first.id)) state.keys.set(first.id, item.key);
    else remove(state, upload);
  }
  for (const file of files) if (!isKnown(state, file.id)) upsert(state, file);
  return state;
}

/** @param {State} state @param {string} id */
function isKnown(state, id) {
  const key = state.keys.get(id);
  return key !== undefined && Boolean(state.files.get(key)?.id);
}

/** @param {State} state @param {FileBrief & Partial<JobFile>} file */
function upsert(state, file) {
  if (state.gone.has(file.id)) return; // what was said of it before it was deleted
  const key = state.keys.get(file.id) ?? uploadNamed(state, file.name) ?? file.id;
  state.keys.set(file.id, key);
  const known = state.files.get(key);
  const again = known && known.revision !== undefined && known.revision !== file.revision; // its results are others by now
  const stale = again ? { outputs: undefined, timings: undefined, engine: undefined, crop: undefined } : {};
  put(state, { ...known, ...stale, ...file, key, fraction: 1, warnings: file.warnings ?? [], review: reviewOf(file, known) });
}

/** An event names codes: their sentences are kept where they are known. @param {FileBrief & Partial<JobFile>} file @param {FileView} [known] @returns {ReviewItem[]} */
const reviewOf = (file, known) => (file.review ?? []).map((item) => (typeof item !== 'string' ? item
  : known?.review?.find(({ code }) => code === item) ?? { code: item, message: '' }));

/** An event may tell of a file before its upload's answer comes: they are the same card. @param {State} state @param {string} name */
function uploadNamed(state, name) {
  for (const key of state.uploads) {
    const file = state.files.get(key);
    if (file?.name === name && file.status === 'uploading') return key;
  }
  return undefined;
}

/** @param {State} state @param {FileView} file */
function put(state, file) {
  const before = state.files.get(file.key);
  if (before) tally(state, before, -1);
  else state.order.push(file.key);
  tally(state, file, 1);
  state.files.set(file.key, file);
  if (file.id === null) state.uploads.add(file.key);
  else state.uploads.delete(file.key);
  state.changed.add(file.key);
}

/** Takes photos out of sight: the server has them until it says otherwise. @param {State} state @param {string[]} ids */
function hide(state, ids) {
  for (const id of ids) {
    const file = state.files.get(state.keys.get(id) ?? '');
    if (!file) continue;
    remove(state, file);
    state.gone.set(id, file);
  }
}

/** Photos that the server has no more. @param {State} state @param {string[]} [ids] */
function forget(state, ids = []) {
  hide(state, ids);
  for (const id of ids) state.gone.set(id, null);
}

/** Back where it was. @param {State} state @param {number} place @param {FileView} file */
function show(state, place, file) {
  if (!file.id || !state.gone.get(file.id)) return;
  state.gone.delete(file.id);
  put(state, file);
  state.order.splice(place, 0, .../** @type {string[]} */ (state.order.splice(-1)));
}

/** @param {State} state @param {FileView} file */
function remove(state, file) {
  tally(state, file, -1);
  state.files.delete(file.key);
  state.uploads.delete(file.key);
  state.order.splice(state.order.indexOf(file.key), 1);
  state.changed.add(file.key);
}

/** @param {State} state @param {FileView} file @param {1|-1} by */
function tally(state, file, by) {
  state.counts[groupOf(file)] += by;
  if (file.warnings.some(({ code }) => code.startsWith('fallback'))) state.counts.fallback += by;
}

export function createStore() {
  let state = emptyState();
  /** @type {Set<(state: State) => void>} */ const listeners = new Set();
  return {
    get: () => state,
    /** @param {Action} action */
    dispatch(action) {
      state = reduce(state, action);
      for (const listener of listeners) listener(state);
    },
    /** @param {(state: State) => void} listener @returns {() => void} */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
