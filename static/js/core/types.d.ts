/** The wire types of the server, and the types that the core's modules share. Types alone: no browser fetches this file. */

export type JobStatus = 'receiving' | 'queued' | 'processing' | 'paused' | 'completed' | 'failed' | 'cancelled';
export type FileStatus = 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
export type Progress = { processed: number; total: number; percentage: number; succeeded: number; failed: number };
export type Eta = { low_s: number; high_s: number; jobs_ahead: number };
export type FileError = { code: string; message: string; hint?: string | null };
export type FileWarning = { code: string; message: string };
/** What a person should look at: what was measured, and the range it should lie in. */
export type ReviewItem = { code: string; message: string; value?: number | null; low?: number | null; high?: number | null; unit?: string | null };
/** A part of a photo, in px of it upright; turned clockwise by `angle` degrees, the photo shows it level. */
export type Frame = { centre: [number, number]; width: number; height: number; angle: number; manual: boolean };
/** An ID photo in mm; of three numbers, the least, the one aimed at, and the most. */
export type Measures = {
  width: number; height: number; head: [number, number, number]; head_with_hair: boolean; eyes_above_lower_edge: [number, number, number]; background: string;
};
/** What the editors of a photo need: addresses of the photo and its mask, which is null where there is none. */
export type EditorOptions = { photo: string; mask: string | null; t: Translate };
/** An editor over a photo. `close`: at once, keeping what is not saved for the next time; `leave`: asks first where that would be lost. */
export type Editor = { close: () => void; leave: (then?: () => void) => void; press: (key: string, event: KeyboardEvent) => boolean };
/** Left, top, right, bottom. */
export type Box = [number, number, number, number];
/** A change of a mask that can be made again: `extend` as the pointer goes on, `apply` all of it. */
export type MaskEdit = { extend: (mask: CanvasRenderingContext2D, point: [number, number]) => Box; apply: (mask: CanvasRenderingContext2D) => void };
export type MaskTool = { name: string; key: string; begin: (brush: { radius: number }) => MaskEdit };
export type Operation = { op: string; [parameter: string]: any };
export type OutputSpec = { name: string; format: string; quality?: number; [parameter: string]: any };
export type Recipe = { operations: Operation[]; outputs: OutputSpec[]; naming?: string | null };
export type Output = { name: string; format: string; width: number; height: number; bytes: number; sha256: string; url: string };

export interface Job {
  id: string;
  name: string;
  status: JobStatus;
  job_type: 'single' | 'batch';
  file_count: number;
  recipe: Recipe;
  progress: Progress;
  eta: Eta | null;
  created_at: string;
  updated_at: string;
  expires_at: string | null;
  error: FileError | null;
  /** Null where no list of names came with the photos. */
  names?: NamesReport | null;
}
/** What became of lists of names; the lists have 200 entries at most, and `more` counts the others. */
export type NamesReport = { matched: number; rows_without_photo: string[]; photos_without_row: string[]; more: number; problems: string[] };
/** A row of such a list; `used`: a photo has it. */
export type NameEntry = { file: string; number: string; caption: string; used: boolean };

/** What an event says of a file. `index`: its place in the job, from 1. */
export interface FileBrief {
  id: string;
  name: string;
  index?: number;
  number?: string | null;
  caption?: string | null;
  /** A person said that it looks fine. */
  accepted?: boolean;
  status: FileStatus;
  stage: string;
  error: FileError | null;
  warnings: FileWarning[];
  /** An event has the codes alone. */
  review?: (ReviewItem | string)[];
  can_undo?: boolean;
  revision?: number;
}

/** What only `GET .../files` says of it. */
export interface FileDetail {
  size: number;
  width: number | null;
  height: number | null;
  engine: { model: string; runtime: string; quality: string } | null;
  outputs: Output[];
  faces: object[] | null;
  timings: Record<string, number>;
  attempts: number;
  /** Its own, where it was done again by another than the job's. */
  recipe: Recipe | null;
  crop: Frame | null;
  facts: { format: string; exif: Record<string, any> | null; phash: string } | null;
  /** Of the list of names that came with the photos. */
  number: string | null;
  caption: string | null;
}
export type JobFile = FileBrief & FileDetail;

export type ModelProgress = { name: string; received: number; total: number | null; percentage: number | null };

export interface JobEvent {
  type: 'progress';
  job_id: string;
  status: JobStatus;
  progress: Progress;
  metadata: { created_at: string; updated_at: string; job_type: 'single' | 'batch'; file_count: number };
  error: FileError | null;
  seq: number;
  snapshot: boolean;
  final: boolean;
  stage: string | null;
  files: FileBrief[];
  /** Ids of photos that were taken out of the job. */
  deleted: string[];
  eta: Eta | null;
  model: ModelProgress | null;
}
export type Message = JobEvent | { type: 'heartbeat'; seq: number };

export type OperationInfo = { op: string; title: string; summary: string; schema: any };
export type Catalogue = { operations: OperationInfo[]; outputs: any };
/** `own`: made on this server, and may be changed. */
export type Preset = { name: string; title: string; description: string; recipe: Recipe; own?: boolean };

export interface Model {
  name: string;
  title: string;
  good_at: string;
  licence: string;
  commercial_use: boolean;
  kind: 'network' | 'classical' | 'face_detector' | 'face_landmarks';
  bytes: number | null;
  state: 'built_in' | 'installed' | 'missing' | 'downloading' | 'failed';
  progress: { received: number; total: number | null; percentage: number | null } | null;
  error: FileError | null;
  runtime: string | null;
  optimisable: boolean;
  optimised: {
    state: 'running' | 'paused' | 'ready' | 'rejected' | 'failed';
    percentage: number | null;
    gain: number | null;
    reason: string | null;
  } | null;
}
export type ModelList = { auto: string; models: Model[] };

/** Something to upload; `name` may carry its folder. */
export type Entry = { file: Blob; name: string };
/** What a new job is to be. */
export type NewJob = { recipe: Recipe; name?: string };

/** One upload of the queue; several files may come of one ZIP. `fraction` is the share sent, 0 to 1. */
export interface Item {
  key: string;
  name: string;
  state: 'waiting' | 'sending' | 'sent' | 'failed';
  fraction: number;
  error: FileError | null;
}
/** An item with what it sends, and the key that lets the server know a repetition. */
export type Upload = { entry: Entry; key: string; index: number; item: Item };
export type Verb = 'seal' | 'cancel' | 'pause' | 'resume' | 'retry';
export type Link = 'live' | 'polling' | 'offline' | 'idle';

export type Store = ReturnType<typeof import('./store.js').createStore>;
export type Translate = (key: string, values?: Record<string, string | number>) => string;
export type RequestOptions = { form?: FormData | Blob | string; headers?: Record<string, string>; keepalive?: boolean };
/** `index`: its place among all that are sent, from 1. */
export type SendOptions = { key: string; index: number; onFraction: (fraction: number) => void; signal: AbortSignal };

/** The photos of a job, and the ids of those that were taken out of it. */
export type Listing = { files: JobFile[]; deleted: string[] };

/** Photos that are out of sight, and gone from the server by `commit`. */
export type Deletion = { undo: () => Promise<void>; commit: (leaving?: boolean) => Promise<void> };

export interface FollowOptions {
  client: JobClient;
  jobId: string;
  onEvent: (event: JobEvent) => void;
  onPoll: (job: Job, listing: Listing) => void;
  onLink: (link: Link) => void;
  /** The job does not exist (any more). */
  onGone: () => void;
}

export interface UploadOptions {
  client: JobClient;
  job: NewJob;
  /** These uploads are new or changed. */
  onItems: (items: Item[]) => void;
  /** The server has them. */
  onFiles: (item: Item, files: JobFile[], job: Job) => void;
  onJob: (job: Job) => void;
  onLink: (online: boolean) => void;
}

/** A file as a view needs it. `key` stays the same from upload to result; `id` is null until the server has it. */
export type FileView = {
  key: string;
  id: string | null;
  name: string;
  status: FileStatus | 'uploading' | 'refused';
  stage: string;
  fraction: number;
  error: FileError | null;
  warnings: FileWarning[];
  index?: number;
  number?: string | null;
  caption?: string | null;
  /** A person said that it looks fine. */
  accepted?: boolean;
  /** What to look at; without a message until the server has said it. */
  review?: ReviewItem[];
  can_retry?: boolean;
  /** It was done again, or is being so, and what it was before is kept. */
  can_undo?: boolean;
  /** Another number where its results are others: their addresses stay the same. */
  revision?: number;
} & Partial<FileDetail>;
export type Group = 'done' | 'look' | 'failed' | 'active' | 'cancelled';

export interface State {
  job: Job | null;
  /** By key. */
  files: Map<string, FileView>;
  /** Keys, oldest first. */
  order: string[];
  /** From id to key. */
  keys: Map<string, string>;
  /** Keys that the server has not confirmed. */
  uploads: Set<string>;
  /** Keys that the last dispatch added, changed or removed. */
  changed: Set<string>;
  /** By id: photos that are deleted (null), or hidden as they were until that is done or undone. */
  gone: Map<string, FileView | null>;
  /** Files of each group, and those a fallback engine made. */
  counts: Record<Group | 'fallback', number>;
  stage: string | null;
  model: ModelProgress | null;
  link: Link;
  seq: number;
}

export type Action =
  | { type: 'reset' }
  | { type: 'event'; event: JobEvent }
  | { type: 'job'; job: Job }
  | { type: 'polled'; job: Job; files: JobFile[]; deleted: string[] }
  /** Out of sight, with their places to bring them back. */
  | { type: 'hidden'; ids: string[] }
  | { type: 'shown'; files: [number, FileView][] }
  | { type: 'detail'; file: JobFile }
  | { type: 'items'; items: Item[] }
  | { type: 'received'; item: Item; files: JobFile[] }
  | { type: 'link'; link: Link };

/** A field of a form, read from JSON Schema. `options`: the values of a choice, the words a colour may be, examples of a text. */
export interface Field {
  key: string;
  control: 'toggle' | 'choice' | 'colour' | 'model' | 'slider' | 'number' | 'text';
  title: string;
  hint: string;
  default: any;
  nullable: boolean;
  integer: boolean;
  options: any[];
  labels: Record<string, string>;
  min: number | undefined;
  max: number | undefined;
  step: number;
  unit: string;
  percent: boolean;
  group: string;
}

/** As `el` of `dom.js`, whose classes may become others. */
export type FormMaker = typeof import('./dom.js').el;
/** What a field of a form needs to know. `change(undefined)`: back to the default. */
export interface FieldContext {
  el: FormMaker;
  t: Translate;
  models: { name: string; state: string; label: string }[];
  change: (value: any) => void;
}
export type DrawField = (id: string, field: Field, value: any, described: Record<string, string>, context: FieldContext) => HTMLElement;
export interface FormOptions {
  catalogue: Catalogue;
  el: FormMaker;
  /** What `chevron` and `delete` look like. */
  icon: (name: string) => Node | string;
  t: Translate;
  format: Format;
  /** Those of the server now. */
  models: () => ModelList;
  /** Asks how to name files, where the view has that. */
  namingField?: typeof import('./naming.js').namingField;
  /** The recipe is another now. */
  change: (recipe: Recipe) => void;
  /** Begins every id, where a page may have several forms. */
  prefix?: string;
}

/** What a view of one job asks of the server. */
export interface JobClient {
  /** Any other call: the answer's JSON, or the answer itself. */
  call(method: string, path: string, options?: RequestOptions): Promise<any>;
  answer(method: string, path: string, options?: RequestOptions): Promise<Response>;
  /** What is made of the server's JSON. */
  read(text: string): any;
  /** Whether it shows a key, which pictures and links of a page cannot. */
  readonly keyed: boolean;
  /** The texts of a language; the server's own English ones are among the keys. */
  language(code: string): Promise<Record<string, any>>;
  /** The address, with a ticket that is good once where there is a key. */
  ticketed(url: string): Promise<string>;
  /** What is at an address of `url`. */
  bytes(url: string): Promise<Blob>;
  operations(): Promise<Catalogue>;
  presets(): Promise<{ presets: Preset[] }>;
  models(): Promise<ModelList>;

  job(id: string): Promise<Job>;
  /** The job and its ETag; the job is null where it is still the one of `known`. */
  jobIfChanged(id: string, known: string): Promise<{ job: Job | null; etag: string }>;
  file(id: string, file: string): Promise<JobFile>;
  /** Every file, over as many pages as it takes, and what was deleted. */
  listing(id: string, status?: string): Promise<Listing>;
  allFiles(id: string, status?: string): Promise<JobFile[]>;

  openJob(job: NewJob, key: string): Promise<Job>;
  addFile(id: string, entry: Entry, options: SendOptions): Promise<{ files: JobFile[]; job: Job }>;
  /** `file`: a retry of that one alone. */
  act(id: string, verb: Verb, file?: string): Promise<Job>;
  /** `keepalive`: the page may be going away. */
  /** A whole job by another recipe; with `files`, these alone; with `model`, by that one. */
  reprocess(id: string, redo: Partial<Recipe> & { files?: string[]; model?: string }): Promise<Job>;
  /** These photos as they were before they were last done again; a second time, what was undone. */
  undo(id: string, files: string[]): Promise<Job>;
  /** Says that the photo looks fine. */
  accept(id: string, file: string): Promise<Job>;
  /** Cuts it out anew; null: as the server does by itself. */
  setCrop(id: string, file: string, frame: Omit<Frame, 'manual'> | null): Promise<Job>;
  putMask(id: string, file: string, mask: Blob): Promise<Job>;
  deleteMask(id: string, file: string): Promise<Job>;
  deleteJob(id: string, keepalive?: boolean): Promise<void>;

  /** Addresses for links and pictures. */
  url: {
    zip(id: string): string;
    mask(id: string, file: string): string;
    result(id: string, file: string, output?: string): string;
    thumbnail(id: string, file: string, options?: { of?: 'source'; size?: number; v?: number }): string;
    socket(id: string, since: number): string;
  };
}

/** With what concerns the server as a whole. */
export interface Client extends JobClient {
  /** Takes photos out of their job, whatever they are; those that are gone already are passed over. */
  deleteFiles(id: string, files: string[], keepalive?: boolean): Promise<Job>;
  deleteFile(id: string, file: string): Promise<void>;
  url: JobClient['url'] & {
    sheet(id: string, options: Record<string, string | null>): string;
    source(id: string, file: string): string;
  };
  /** What each model has done here, among other things. */
  stats(): Promise<{ models: { model: string; runtime: string; files: number; mean_s: number | null }[] }>;
  health(): Promise<{ notices: { code: string, message: string }[]; url_ingest: boolean }>;
  putPreset(name: string, preset: { title: string; description: string; recipe: Recipe }): Promise<Preset>;
  deletePreset(name: string): Promise<void>;
  downloadModel(name: string): Promise<unknown>;
  optimiseModel(name: string): Promise<unknown>;
  sample(): Promise<Entry>;
  jobs(page: { limit?: number; before?: string | null }): Promise<{ jobs: Job[]; next: string | null }>;
  /** A job of photos that the server fetches, where it does that. */
  fetchUrls(job: NewJob, urls: string[], key: string): Promise<Job>;
  change(id: string, values: { name?: string; priority?: string; keep?: boolean; naming?: string }): Promise<Job>;
  /** Calls the photo otherwise; what is absent stays. */
  nameFile(id: string, file: string, naming: { name?: string; number?: string; caption?: string }): Promise<Job>;
  /** Says that photos look fine, or takes it back. */
  acceptFiles(id: string, files: string[], accepted: boolean): Promise<Job>;
  names(id: string): Promise<{ rows: NameEntry[] }>;
}

export interface Session {
  store: Store;
  /** Whether leaving the page now would lose a photo, of whichever job. */
  readonly busy: boolean;
  /** Whether this page is sending the photos of the job it shows. */
  readonly sending: boolean;
  /** Whether the job's photos came from this page, and not all of them are there. */
  readonly holdsPhotos: boolean;

  /** Shows nothing; uploads under way go on. */
  close(): void;
  /** Shows a job of the server; throws where there is none. */
  open(id: string): Promise<void>;
  /** A new job of these photos; throws where the server refuses it. */
  submit(entries: Entry[], job: NewJob): Promise<Job>;
  /** More photos for the job that is still being sent; false where none is. */
  add(entries: Entry[]): boolean;
  act(verb: 'cancel' | 'pause' | 'resume'): Promise<void>;
  /** Has an ended job go on, and follows it again. */
  again(ask: (id: string) => Promise<Job>): Promise<void>;
  /** A failed file again, else all of them. */
  retry(file?: string): Promise<void>;
  retryUpload(key: string): void;
  /** Ends a job that still waits for photos. */
  seal(): Promise<void>;
  /** Looks whether another tab has set a finished job going again. */
  refresh(): Promise<void>;
  /** Size, engine, results and timings of one file. */
  detail(file: string): Promise<void>;
}

export interface Format {
  /** BCP 47. */
  locale?: string;
  bytes(bytes: number): string;
  /** What is left, or nothing where it is not known. */
  left(eta: Eta | null): string;
}
