/**
 * `<photo-processor endpoint presets options job-id theme locale unstyled>`: the same view without React, in the light DOM, dressed
 * by `styles.css`. A key is set as the property `apiKey`, or as the attribute `api-key`.
 * It tells by events `job-created`, `progress`, `file-complete`, `complete` and `error`, each with its `detail`.
 */

import { el, setText } from '../../static/js/core/dom.js';
import { entriesOfDrop, entriesOfFiles } from '../../static/js/core/entries.js';
import { same } from '../../static/js/core/same.js';
import { canRetry, groupOf, hasResult, isFinal, largestOf, mayTryOther, passes, reasonsOf, shownKeys, totals } from '../../static/js/core/store.js';
import { countText, createFormat, fileText, jobText } from '../../static/js/core/words.js';
import type { Entry, FileView, Format, Preset, Recipe } from '../../static/js/core/types.js';
import { CUTOUT, createPhotoJob, presetsOf, textOf } from './job.js';
import type { PhotoFault, PhotoJob } from './job.js';
import { english, loadLanguage } from './language.js';
import type { Language } from './language.js';
import { makersOf } from './make.js';
import type { PartMaker } from './make.js';
import { createOptions } from './options.js';
import type { Options } from './options.js';
import type { Viewer } from './viewer.js';

const FILTERS = [['all', 'filterAll'], ['done', 'filterDone'], ['look', 'filterLook'], ['failed', 'filterFailed']] as const;
const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement;
/** Its own, and those that every element has. */
const ATTRIBUTES = /^(endpoint|presets|options|job-id|theme|locale|unstyled|api-key|class|id|style|slot|hidden|lang|dir|title|role|tabindex|on.*|data-.*|aria-.*|v-.*|_.*)$/;
let elements = 0;

interface Row {
  file: FileView;
  looks: string;
  element: HTMLElement;
  /** Its picture has come. */
  stale: boolean;
}

export class PhotoProcessorElement extends Base {
  static observedAttributes = ['theme', 'job-id'];
  /** A key for the server, where it asks for one; set it before the element is on the page. */
  apiKey = '';
  #job: PhotoJob | null = null;
  #language: Language = english();
  #format: Format | null = null;
  #filter = 'all';
  #viewer: Viewer | null = null;
  #presets: Preset[] = [];
  #chosen = '';
  #options: Options | null = null;
  /** How the job was made that was there before. */
  #opened: Recipe | null = null;
  #openedId = '';
  /** The presets that what is chosen goes by. */
  #known: Preset[] = [];
  /** Where it is another than the preset's. */
  #changed: Recipe | undefined;
  #rows = new Map<string, Row>();
  #stop = () => {};
  #parts: Record<string, any> = {};
  #classOf = (name: string) => (this.hasAttribute('unstyled') ? undefined : `pp-${name}`);
  #part: PartMaker = makersOf((name) => this.#classOf(name)).part;
  #group = `pp-${++elements}`;

  connectedCallback() {
    const locale = this.getAttribute('locale') ?? 'en';
    this.#language = english(locale);
    const job = createPhotoJob({
      endpoint: this.getAttribute('endpoint') ?? '',
      apiKey: this.apiKey || (this.getAttribute('api-key') ?? ''),
      t: (...given) => this.#language.t(...given),
      read: (text) => this.#language.read(text),
    });
    this.#job = job;
    job.tell({
      onJobCreated: (created) => {
        this.#say(null);
        this.#emit('job-created', created);
      },
      onProgress: (progress) => this.#emit('progress', progress),
      onFileComplete: (file) => this.#emit('file-complete', file),
      onComplete: (ended) => this.#emit('complete', ended),
      onError: (fault) => {
        this.#say(textOf(fault));
        this.#emit('error', fault);
      },
    });
    this.#build(locale);
    let asked = false;
    const redraw = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        if (this.#job === job) this.#draw();
      });
    };
    const ends = [job.subscribe(redraw), job.onPicture(() => {
      this.#rows.forEach((row) => { row.stale = true; });
      redraw();
    })];
    this.#stop = () => ends.forEach((end) => end());
    this.#begin(job, locale);
    const unknown = this.getAttributeNames().filter((name) => !ATTRIBUTES.test(name)).join(', ');
    if (unknown) import('./later.js').then(({ warnOfNames }) => warnOfNames('attribute', unknown));
  }

  /** In its language, where the server has that. */
  async #begin(job: PhotoJob, locale: string) {
    if (this.#language.ready) this.#draw();
    else {
      const language = await loadLanguage(job.client, locale);
      if (this.#job !== job) return;
      this.#language = language;
      this.#rows.clear();
      this.#build(locale);
      this.#draw();
    }
    this.#loadPresets(job);
    const id = this.getAttribute('job-id');
    if (id) job.open(id);
  }

  disconnectedCallback() {
    this.#stop();
    this.#viewer?.close();
    this.#job?.close();
    this.#job = null;
    this.#rows.clear();
    this.replaceChildren();
  }

  attributeChangedCallback(name: string, _old: string | null, value: string | null) {
    if (name === 'theme') this.#parts.root?.setAttribute('data-pp-theme', value ?? 'auto');
    else if (value) this.#job?.open(value);
  }

  /** Photos from elsewhere, such as a camera. */
  addFiles(files: Iterable<File>) {
    return this.#add(entriesOfFiles(files));
  }

  async #add(entries: Entry[]) {
    if (entries.length) await this.#job?.add(entries, this.#recipe());
  }

  #preset() {
    return this.#presets.find(({ name }) => name === this.#chosen)?.recipe ?? this.#opened ?? CUTOUT;
  }

  /** A job that was there before shows how it was made; without one, the first preset is chosen. */
  #follow() {
    const opened = this.#job!.opened();
    const id = opened ? this.#job!.get().job?.id ?? '' : '';
    if (id === this.#openedId && same(opened, this.#opened) && this.#known === this.#presets) return;
    this.#openedId = id;
    this.#opened = opened;
    this.#known = this.#presets;
    this.#chosen = (opened ? this.#presets.find(({ recipe }) => same(recipe, opened)) : this.#presets[0])?.name ?? '';
    this.#changed = undefined;
    this.#options?.show(this.#preset(), opened);
    this.#drawPresets();
    this.#sayMadeAs(opened);
  }

  async #sayMadeAs(opened: Recipe | null) {
    const what = opened ? await this.#job!.madeAs(opened, this.#presets).catch(() => '') : '';
    if (!same(opened, this.#opened)) return;
    this.#parts.madeAs.hidden = !what;
    setText(this.#parts.madeAs, what && this.#language.t('madeAs', { what }));
  }

  #recipe() {
    return this.#changed ?? this.#preset();
  }

  #choosePreset(name: string) {
    this.#chosen = name;
    this.#changed = undefined;
    this.#options?.show(this.#preset(), this.#opened);
    this.#draw();
  }

  #emit(name: string, detail: unknown) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  #say(text: string | null) {
    this.#parts.fault.hidden = !text;
    this.#parts.fault.textContent = text;
  }

  async #loadPresets(job: PhotoJob) {
    const names = this.getAttribute('presets')?.split(/[\s,]+/).filter(Boolean);
    const { t } = this.#language;
    try {
      const presets = await presetsOf(job.client, names, t);
      if (job !== this.#job) return;
      this.#say(null);
      this.#presets = presets;
      this.#draw();
    } catch (error) {
      const fault = error as PhotoFault;
      if (job !== this.#job) return;
      this.#say(textOf(fault));
      this.#parts.fault.append(' ', this.#part('button', 'retry', { onclick: () => this.#loadPresets(job) }, t('retry')));
      this.#emit('error', fault);
    }
  }

  #drawPresets() {
    const { t } = this.#language;
    const holder = this.#parts.presets;
    holder.hidden = this.#presets.length < 2;
    holder.replaceChildren(el('legend', {}, t('whatToMake')), ...this.#presets.map(({ name, title, description }) => this.#part('label', 'preset', { title: description },
      el('input', { type: 'radio', name: this.#group, value: name, checked: name === this.#chosen, onchange: () => this.#choosePreset(name) }), title)));
  }

  #build(locale: string) {
    const { t } = this.#language;
    this.#format = createFormat(t, locale);
    const part = this.#part;
    const input = el('input', {
      type: 'file', multiple: true, hidden: true,
      onchange: () => {
        this.#add(entriesOfFiles(input.files ?? []));
        input.value = '';
      },
    });
    const parts = {
      presets: part('fieldset', 'presets', { hidden: true }),
      madeAs: part('p', 'made-as', { hidden: true }),
      drop: part('div', 'drop', {}, part('p', 'drop-title', {}, t('dropHere')),
        part('button', 'choose', { onclick: () => input.click() }, t('chooseFiles'))),
      fault: part('p', 'fault', { hidden: true, role: 'alert' }),
      count: part('p', 'count'),
      actions: part('div', 'actions'),
      progress: part('progress', 'progress', { max: 100, 'aria-label': t('progress') }),
      stage: part('p', 'stage', { role: 'status' }),
      filters: part('div', 'filters', { role: 'group', 'aria-label': t('filter'), hidden: true }, ...FILTERS.map(([name, label]) => part('button', 'filter', {
        'data-pp-filter': name, onclick: () => this.#choose(name),
      }, `${t(label)} `, el('b')))),
      nothing: part('p', 'nothing', { hidden: true }, t('noneOfThese')),
      files: part('ul', 'files'),
    };
    const bar = part('div', 'bar', { hidden: true }, parts.count, parts.actions, parts.progress, parts.stage);
    this.#options = this.getAttribute('options') === 'off' ? null : createOptions({
      job: this.#job!, t, format: this.#format, classOf: this.#classOf,
      change: (recipe) => {
        this.#changed = recipe;
        this.#draw();
      },
    });
    this.#options?.show(this.#preset(), this.#opened);
    const root = part('section', 'root', { 'aria-label': t('app'), 'data-pp-theme': this.getAttribute('theme') ?? 'auto' },
      parts.presets, parts.madeAs, this.#options?.element, input, parts.drop, parts.fault, bar, parts.filters, parts.nothing, parts.files);
    this.#parts = { ...parts, bar, root };
    this.#acceptDrops(root);
    this.replaceChildren(root);
  }

  #choose(filter: string) {
    this.#filter = filter;
    this.#draw();
  }

  /** The photos that the filter lets through. */
  #shown() {
    const state = this.#job!.get();
    return shownKeys(state, this.#filter).map((key) => state.files.get(key)!);
  }

  /** Before and after, large; fetched when it is first asked for. */
  async #open(key: string, other = false) {
    const { openViewer } = await import('./later.js');
    const job = this.#job;
    if (!job) return;
    this.#viewer?.close();
    this.#viewer = openViewer(this.#parts.root, {
      job, t: this.#language.t, format: this.#format!, key, shown: () => this.#shown(), classOf: this.#classOf, other,
    });
  }

  #acceptDrops(root: HTMLElement) {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files');
    root.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      root.toggleAttribute('data-pp-dragging', true);
    });
    root.addEventListener('dragleave', (event) => {
      if (!root.contains(event.relatedTarget as Node | null)) root.removeAttribute('data-pp-dragging');
    });
    root.addEventListener('drop', (event) => {
      root.removeAttribute('data-pp-dragging');
      if (!event.dataTransfer || !carriesFiles(event)) return;
      event.preventDefault();
      entriesOfDrop(event.dataTransfer).then((entries) => this.#add(entries));
    });
  }

  #draw() {
    this.#follow();
    const { t } = this.#language;
    const state = this.#job!.get();
    const { root, bar, count, progress, stage, files, filters, nothing } = this.#parts;
    const { job, order, counts } = state;
    const { processed, total, percentage } = totals(state);
    const empty = !job && !order.length;
    root.dataset.ppPhase = empty ? 'empty' : isFinal(job) ? 'ended' : 'working';
    bar.hidden = empty;
    setText(count, countText(processed, total, counts.failed, counts.look, t));
    progress.value = percentage;
    const left = job?.status === 'processing' ? this.#format!.left(job.eta) : '';
    setText(stage, empty ? '' : [jobText(job, false, t), left].filter(Boolean).join(', '));
    this.#drawActions();
    const numbers: Record<string, number> = { all: order.length, done: counts.done + counts.look, look: counts.look, failed: counts.failed };
    filters.hidden = order.length < 2;
    for (const button of filters.children) {
      button.setAttribute('aria-pressed', String(button.dataset.ppFilter === this.#filter));
      setText(button.lastElementChild, String(numbers[button.dataset.ppFilter]));
    }
    nothing.hidden = empty || numbers[this.#filter]! > 0;
    for (const [key, { element }] of this.#rows) {
      if (state.files.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    for (const key of order) this.#drawFile(state.files.get(key)!, files);
    const sorted = this.#filter === 'look' ? new Set([...shownKeys(state, 'look'), ...order]) : order;
    let at = files.firstElementChild;
    for (const key of sorted) {
      const { element } = this.#rows.get(key)!;
      if (element === at) at = at.nextElementSibling;
      else files.insertBefore(element, at);
    }
  }

  #drawActions() {
    const job = this.#job!;
    const { job: shown, counts, files } = job.get();
    const { t } = this.#language;
    const ended = isFinal(shown);
    const zip = shown && counts.done + counts.look ? job.client.url.zip(shown.id) : '';
    const retries = ended && [...files.values()].some(canRetry);
    const redo = job.mayRedo(this.#recipe());
    const undoable = job.undoable();
    const wanted = [shown?.id, shown?.status, zip, retries, redo, undoable.length].join();
    const { actions } = this.#parts;
    if (actions.dataset.ppShown === wanted) return;
    actions.dataset.ppShown = wanted;
    const button = (label: string, onclick: () => void) => this.#part('button', 'button', { onclick }, t(label));
    actions.replaceChildren(...[
      (shown?.status === 'queued' || shown?.status === 'processing') && button('pause', () => job.act('pause')),
      shown?.status === 'paused' && button('resume', () => job.act('resume')),
      shown && !ended && button('cancel', () => job.act('cancel')),
      retries && button('retryFailed', () => job.retry()),
      undoable.length && this.#part('button', 'button', { onclick: () => job.undo(undoable) }, t('undoRedo', { n: undoable.length })),
      redo && button('redo', () => job.redoAll(this.#recipe())),
      ended && button('startOver', () => {
        this.#filter = 'all';
        job.close();
      }),
      zip && this.#link('zip', zip, {}, t('downloadZip')),
    ].filter((node) => node instanceof Node));
  }

  #link(name: string, url: string, properties: object, text: string) {
    return this.#part('a', name, { href: url, download: '', onclick: this.#job!.saves(url), ...properties }, text);
  }

  /** Made anew only where it looks other than before: what has the focus keeps it. */
  #drawFile(file: FileView, list: HTMLElement) {
    const job = this.#job!;
    const { job: shown, model } = job.get();
    let row = this.#rows.get(file.key);
    if (row?.file !== file || row.stale) {
      const { id, status, revision, error, name, review } = file;
      const src = id ? job.picture(job.client.url.thumbnail(shown?.id ?? '', id, hasResult(file) ? { v: revision || undefined } : { of: 'source' })) : '';
      const other = mayTryOther(file, shown);
      const looks = [src, id, status, !!error, name, review?.length, canRetry(file), other, ...reasonsOf(file)].join();
      const element: HTMLElement = row?.looks === looks ? row.element
        : this.#part('li', 'file', { 'data-pp-status': status, 'data-pp-group': groupOf(file) }, ...this.#fileParts(file, src, other, row));
      if (!row) list.append(element);
      else if (row.element !== element) row.element.replaceWith(element);
      row = { file, looks, element, stale: false };
      this.#rows.set(file.key, row);
    }
    setText(row.element.querySelector('[data-pp-part="status"]'), fileText(file, model, this.#language.t));
    row.element.hidden = !passes(file, this.#filter);
  }

  #fileParts(file: FileView, src: string | undefined, other: boolean, before: Row | undefined) {
    const { t } = this.#language;
    const job = this.#job!;
    const { id, name, status, error } = file;
    const reasons = reasonsOf(file);
    const part = this.#part;
    const button = (kind: string, text: string, label: string, onclick: () => void) => part('button', kind, { 'aria-label': label, onclick }, text);
    const known = before?.element.querySelector('img');
    const picture = known?.getAttribute('src') === src ? known : src && el('img', { src, alt: '', loading: 'lazy', onerror: () => { picture.hidden = true; } });
    return [
      part('button', 'thumb', { 'aria-label': t('open', { name }), disabled: status !== 'completed' && !error, onclick: () => this.#open(file.key) }, picture),
      part('span', 'name', { title: name, dir: 'auto' }, name),
      part('span', 'status'),
      reasons.length > 0 && part('span', 'reason', {}, reasons.join(' ')),
      status === 'completed' && !!file.review?.length && button('accept', t('looksFine'), `${t('looksFine')}: ${name}`, () => job.accept(file)),
      canRetry(file) && button('retry', t('retry'), t('retryNamed', { name }), () => job.retry(file)),
      other && button('other', t('otherModel'), `${t('otherModel')}: ${name}`, () => this.#open(file.key, true)),
      status === 'completed' && id && this.#link('download', `${job.client.url.result(job.get().job?.id ?? '', id, largestOf(file, job.get().job))}?download=1`, { 'aria-label': t('download', { name }) }, t('downloadResult')),
    ];
  }
}

/** Registers the element; importing this module has done so under its usual name. */
export function define(name = 'photo-processor') {
  if (typeof customElements !== 'undefined' && !customElements.get(name)) customElements.define(name, PhotoProcessorElement);
}

define();
