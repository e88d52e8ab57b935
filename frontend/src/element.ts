/**
 * `<photo-processor endpoint presets job-id theme locale unstyled>`: the same view without React, in the light DOM, dressed
 * by `styles.css`. A key is set as the property `apiKey`, or as the attribute `api-key`.
 * It tells by events `job-created`, `progress`, `file-complete`, `complete` and `error`, each with its `detail`.
 */

import { entriesOfDrop, entriesOfFiles } from '../../static/js/core/entries.js';
import { canRetry, groupOf, isFinal, passes, reasonsOf, totals } from '../../static/js/core/store.js';
import { countText, createFormat, fileText, jobText } from '../../static/js/core/words.js';
import type { Entry, FileView, Format, Preset } from '../../static/js/core/types.js';
import { createPhotoJob, faultOf } from './job.js';
import type { PhotoJob } from './job.js';
import { english, loadLanguage } from './language.js';
import type { Language } from './language.js';
import type { Viewer } from './viewer.js';

const FILTERS = [['all', 'filterAll'], ['done', 'filterDone'], ['look', 'filterLook'], ['failed', 'filterFailed']] as const;
const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement;
let elements = 0;

interface Row {
  file: FileView;
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
  #unstyled = false;
  #presets: Preset[] = [];
  #chosen = '';
  #rows = new Map<string, Row>();
  #stop = () => {};
  #parts: Record<string, HTMLElement> = {};
  #group = `pp-${++elements}`;

  connectedCallback() {
    const locale = this.getAttribute('locale') ?? 'en';
    this.#language = english(locale);
    this.#unstyled = this.hasAttribute('unstyled');
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
        this.#say([fault.message, fault.hint].filter(Boolean).join(' '));
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
    const recipe = this.#presets.find(({ name }) => name === this.#chosen)?.recipe
      ?? { operations: [{ op: 'remove_background' }], outputs: [{ name: 'full', format: 'png' }] };
    if (entries.length) await this.#job?.add(entries, recipe);
  }

  #emit(name: string, detail: unknown) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  #say(text: string | null) {
    this.#parts.fault!.hidden = !text;
    this.#parts.fault!.textContent = text;
  }

  async #loadPresets(job: PhotoJob) {
    const names = this.getAttribute('presets')?.split(/[\s,]+/).filter(Boolean);
    try {
      const { presets } = await job.client.presets();
      if (job !== this.#job) return;
      this.#presets = presets.filter(({ name }) => !names?.length || names.includes(name));
      this.#chosen = this.#presets[0]?.name ?? '';
      this.#drawPresets();
    } catch (error) {
      if (job !== this.#job) return;
      this.#say(faultOf(error).message);
      this.#emit('error', faultOf(error));
    }
  }

  private makePart<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, properties: object = {}, ...children: (Node | string)[]) {
    const element = make(tag, { ...(this.#unstyled ? {} : { className: `pp-${name}` }), ...properties }, ...children);
    element.dataset.ppPart = name;
    return element;
  }

  #drawPresets() {
    const { t } = this.#language;
    const holder = this.#parts.presets!;
    holder.hidden = this.#presets.length < 2;
    holder.replaceChildren(make('legend', {}, t('whatToMake')), ...this.#presets.map(({ name, title, description }, index) => {
      const input = make('input', { type: 'radio', name: this.#group, value: name, checked: index === 0, onchange: () => { this.#chosen = name; } });
      return this.makePart('label', 'preset', { title: description }, input, title);
    }));
  }

  #build(locale: string) {
    const { t } = this.#language;
    this.#format = createFormat(t, locale);
    const part: typeof this.makePart = (...given) => this.makePart(...given);
    const input = make('input', {
      type: 'file', multiple: true, hidden: true,
      onchange: () => {
        this.#add(entriesOfFiles(input.files ?? []));
        input.value = '';
      },
    });
    const parts = {
      presets: part('fieldset', 'presets', { hidden: true }),
      drop: part('div', 'drop', {}, part('p', 'drop-title', {}, t('dropHere')),
        part('button', 'choose', { type: 'button', onclick: () => input.click() }, t('chooseFiles'))),
      fault: part('p', 'fault', { hidden: true, role: 'alert' }),
      count: part('p', 'count'),
      actions: part('div', 'actions'),
      progress: part('progress', 'progress', { max: 100, ariaLabel: t('progress') }),
      stage: part('p', 'stage', { role: 'status' }),
      filters: part('div', 'filters', { role: 'group', ariaLabel: t('filter'), hidden: true }, ...FILTERS.map(([name, label]) => {
        const button = part('button', 'filter', { type: 'button', ariaPressed: String(name === this.#filter), onclick: () => this.#choose(name) }, `${t(label)} `, make('b', {}));
        button.dataset.ppFilter = name;
        return button;
      })),
      nothing: part('p', 'nothing', { hidden: true }, t('noneOfThese')),
      files: part('ul', 'files'),
    };
    const bar = part('div', 'bar', { hidden: true }, parts.count, parts.actions, parts.progress, parts.stage);
    const root = part('section', 'root', { ariaLabel: t('app') }, parts.presets, input, parts.drop, parts.fault, bar, parts.filters, parts.nothing, parts.files);
    root.dataset.ppTheme = this.getAttribute('theme') ?? 'auto';
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
    const { order, files } = this.#job!.get();
    return order.map((key) => files.get(key)!).filter((file) => passes(file, this.#filter));
  }

  /** Before and after, large; fetched when it is first asked for. */
  async #open(key: string) {
    const { openViewer } = await import('./viewer.js');
    const job = this.#job;
    if (!job) return;
    this.#viewer?.close();
    this.#viewer = openViewer(this.#parts.root!, {
      job, t: this.#language.t, key, shown: () => this.#shown(), classOf: (name) => (this.#unstyled ? undefined : `pp-${name}`),
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
    const { t } = this.#language;
    const state = this.#job!.get();
    const { root, bar, count, progress, stage, files, filters, nothing } = this.#parts as Record<string, any>;
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
      button.ariaPressed = String(button.dataset.ppFilter === this.#filter);
      setText(button.lastElementChild, String(numbers[button.dataset.ppFilter]));
    }
    nothing.hidden = empty || numbers[this.#filter]! > 0;
    for (const [key, { element }] of this.#rows) {
      if (state.files.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    for (const key of order) this.#drawFile(state.files.get(key)!, files);
  }

  #drawActions() {
    const job = this.#job!;
    const { job: shown, counts, files } = job.get();
    const { t } = this.#language;
    const ended = isFinal(shown);
    const zip = shown && counts.done + counts.look ? job.client.url.zip(shown.id) : '';
    const retries = ended && [...files.values()].some(canRetry);
    const wanted = [shown?.id, shown?.status, zip, retries].join();
    const { actions } = this.#parts as Record<string, HTMLElement>;
    if (actions!.dataset.ppShown === wanted) return;
    actions!.dataset.ppShown = wanted;
    const button = (label: string, onclick: () => void) => this.makePart('button', 'button', { type: 'button', onclick }, t(label));
    actions!.replaceChildren(...[
      (shown?.status === 'queued' || shown?.status === 'processing') && button('pause', () => job.act('pause')),
      shown?.status === 'paused' && button('resume', () => job.act('resume')),
      shown && !ended && button('cancel', () => job.act('cancel')),
      retries && button('retryFailed', () => job.retry()),
      ended && button('startOver', () => {
        this.#filter = 'all';
        job.close();
      }),
      zip && this.#link('zip', zip, {}, t('downloadZip')),
    ].filter((node) => node instanceof Node));
  }

  /** A link cannot show a key. */
  #link(name: string, url: string, properties: object, text: string) {
    const job = this.#job!;
    return this.makePart('a', name, { href: url, download: '', ...properties, onclick: (event: Event) => {
      if (!job.client.keyed) return;
      event.preventDefault();
      job.save(url);
    } }, text);
  }

  #drawFile(file: FileView, list: HTMLElement) {
    const row = this.#rows.get(file.key);
    const text = fileText(file, this.#job!.get().model, this.#language.t);
    let element = row?.element;
    if (row && row.file === file && !row.stale) setText(row.element.querySelector('[data-pp-part="status"]')!, text);
    else {
      element = this.makePart('li', 'file', {}, ...this.#fileParts(file, text, row));
      Object.assign(element.dataset, { ppStatus: file.status, ppGroup: groupOf(file) });
      if (row) row.element.replaceWith(element);
      else list.append(element);
      this.#rows.set(file.key, { file, element, stale: false });
    }
    element!.hidden = !passes(file, this.#filter);
  }

  #fileParts(file: FileView, text: string, before: Row | undefined) {
    const { t } = this.#language;
    const job = this.#job!;
    const id = job.get().job?.id ?? '';
    const { name, status, error } = file;
    const reasons = reasonsOf(file);
    const src = file.id ? job.picture(job.client.url.thumbnail(id, file.id, status === 'completed' ? { v: file.revision } : { of: 'source' })) : '';
    const known = before?.element.querySelector('img');
    const picture = known?.getAttribute('src') === src ? known : src && make('img', { src, alt: '', loading: 'lazy', onerror: () => { (picture as HTMLElement).hidden = true; } });
    return [
      this.makePart('button', 'thumb', {
        type: 'button', ariaLabel: t('open', { name }), disabled: status !== 'completed' && !error, onclick: () => this.#open(file.key),
      }, picture || ''),
      this.makePart('span', 'name', { title: name }, name),
      this.makePart('span', 'status', {}, text),
      reasons.length > 0 && this.makePart('span', 'reason', {}, reasons.join(' ')),
      status === 'completed' && !!file.review?.length && this.makePart('button', 'accept', { type: 'button', ariaLabel: `${t('looksFine')}: ${name}`, onclick: () => job.accept(file) }, t('looksFine')),
      canRetry(file) && this.makePart('button', 'retry', { type: 'button', ariaLabel: t('retryNamed', { name }), onclick: () => job.retry(file) }, t('retry')),
      status === 'completed' && file.id && this.#link('download', `${job.client.url.result(id, file.id)}?download=1`, { ariaLabel: t('download', { name }) }, t('downloadResult')),
    ].filter((node) => node instanceof Node);
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, properties: object, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function setText(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/** Registers the element; importing this module has done so under its usual name. */
export function define(name = 'photo-processor') {
  if (typeof customElements !== 'undefined' && !customElements.get(name)) customElements.define(name, PhotoProcessorElement);
}

define();
