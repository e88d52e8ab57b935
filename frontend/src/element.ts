/**
 * `<photo-processor endpoint presets job-id theme>`: the same view without React, in the light DOM, dressed by `styles.css`.
 * It tells by events `job-created`, `progress`, `file-complete`, `complete` and `error`, each with its `detail`.
 */

import { entriesOfDrop, entriesOfFiles } from '../../static/js/core/entries.js';
import { groupOf, isFinal, totals } from '../../static/js/core/store.js';
import { createStrings, en } from '../../static/js/core/strings.js';
import { countText, fileText, jobText } from '../../static/js/core/words.js';
import type { Entry, FileView, Preset } from '../../static/js/core/types.js';
import { createPhotoJob, faultOf } from './job.js';
import type { PhotoJob } from './job.js';
import { OWN_MESSAGES } from './messages.js';

const t = createStrings({ ...en, ...OWN_MESSAGES }, 'en');
const Base: typeof HTMLElement = typeof HTMLElement === 'undefined' ? (class {} as typeof HTMLElement) : HTMLElement;
let elements = 0;

interface Row {
  file: FileView;
  element: HTMLElement;
}

export class PhotoProcessorElement extends Base {
  static observedAttributes = ['theme', 'job-id'];
  #job: PhotoJob | null = null;
  #presets: Preset[] = [];
  #chosen = '';
  #rows = new Map<string, Row>();
  #stop = () => {};
  #parts: Record<string, HTMLElement> = {};
  #group = `pp-${++elements}`;

  connectedCallback() {
    const job = createPhotoJob({ endpoint: this.getAttribute('endpoint') ?? '', t });
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
    this.#build();
    let asked = false;
    this.#stop = job.subscribe(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        if (this.#job === job) this.#draw();
      });
    });
    this.#draw();
    this.#loadPresets(job);
    const id = this.getAttribute('job-id');
    if (id) job.open(id);
  }

  disconnectedCallback() {
    this.#stop();
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

  #drawPresets() {
    const holder = this.#parts.presets!;
    holder.hidden = this.#presets.length < 2;
    holder.replaceChildren(make('legend', {}, t('whatToMake')), ...this.#presets.map(({ name, title, description }, index) => {
      const input = make('input', { type: 'radio', name: this.#group, value: name, checked: index === 0, onchange: () => { this.#chosen = name; } });
      return part('label', 'preset', { title: description }, input, title);
    }));
  }

  #build() {
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
      files: part('ul', 'files'),
    };
    const bar = part('div', 'bar', { hidden: true }, parts.count, parts.actions, parts.progress, parts.stage);
    const root = part('section', 'root', { ariaLabel: t('app') }, parts.presets, input, parts.drop, parts.fault, bar, parts.files);
    root.dataset.ppTheme = this.getAttribute('theme') ?? 'auto';
    this.#parts = { ...parts, bar, root };
    this.#acceptDrops(root);
    this.replaceChildren(root);
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
    const state = this.#job!.get();
    const { root, bar, count, progress, stage, files } = this.#parts as Record<string, any>;
    const { job, order, counts } = state;
    const { processed, total, percentage } = totals(state);
    const empty = !job && !order.length;
    root.dataset.ppPhase = empty ? 'empty' : isFinal(job) ? 'ended' : 'working';
    bar.hidden = empty;
    setText(count, countText(processed, total, counts.failed, counts.look, t));
    progress.value = percentage;
    setText(stage, empty ? '' : jobText(job, false, t));
    this.#drawActions();
    for (const [key, { element }] of this.#rows) {
      if (state.files.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    for (const key of order) this.#drawFile(state.files.get(key)!, files);
  }

  #drawActions() {
    const job = this.#job!;
    const { job: shown, counts } = job.get();
    const ended = isFinal(shown);
    const zip = shown && counts.done + counts.look ? job.client.url.zip(shown.id) : '';
    const wanted = [shown?.id, ended, zip, ended && counts.failed > 0].join();
    const { actions } = this.#parts as Record<string, HTMLElement>;
    if (actions!.dataset.ppShown === wanted) return;
    actions!.dataset.ppShown = wanted;
    const button = (label: string, onclick: () => void) => part('button', 'button', { type: 'button', onclick }, t(label));
    actions!.replaceChildren(...[
      shown && !ended && button('cancel', () => job.act('cancel')),
      ended && counts.failed > 0 && button('retryFailed', () => job.retry()),
      ended && button('startOver', () => job.close()),
      zip && part('a', 'zip', { href: zip, download: '' }, t('downloadZip')),
    ].filter((node) => node instanceof Node));
  }

  #drawFile(file: FileView, list: HTMLElement) {
    const row = this.#rows.get(file.key);
    const text = fileText(file, this.#job!.get().model, t);
    if (row && row.file === file) return setText(row.element.querySelector('[data-pp-part="status"]')!, text);
    const element = part('li', 'file', {}, ...this.#fileParts(file, text, row));
    Object.assign(element.dataset, { ppStatus: file.status, ppGroup: groupOf(file) });
    if (row) row.element.replaceWith(element);
    else list.append(element);
    this.#rows.set(file.key, { file, element });
  }

  #fileParts(file: FileView, text: string, before: Row | undefined) {
    const job = this.#job!;
    const id = job.get().job?.id ?? '';
    const { name, status, error, warnings } = file;
    const reason = error ? [error.message, error.hint] : warnings.map(({ message }) => message);
    const src = file.id ? job.client.url.thumbnail(id, file.id, status === 'completed' ? {} : { of: 'source' }) : '';
    const known = before?.element.querySelector('img');
    const picture = known?.getAttribute('src') === src ? known : src && make('img', { src, alt: '', loading: 'lazy', onerror: () => { (picture as HTMLElement).hidden = true; } });
    return [
      part('span', 'thumb', {}, picture || ''),
      part('span', 'name', { title: name }, name),
      part('span', 'status', {}, text),
      reason.some(Boolean) && part('span', 'reason', {}, reason.filter(Boolean).join(' ')),
      groupOf(file) === 'failed' && part('button', 'retry', { type: 'button', ariaLabel: t('retryNamed', { name }), onclick: () => job.retry(file) }, t('retry')),
      status === 'completed' && file.id && part('a', 'download', {
        href: `${job.client.url.result(id, file.id)}?download=1`, download: '', ariaLabel: t('download', { name }),
      }, t('downloadResult')),
    ].filter((node) => node instanceof Node);
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, properties: object, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, properties: object = {}, ...children: (Node | string)[]) {
  const element = make(tag, { className: `pp-${name}`, ...properties }, ...children);
  element.dataset.ppPart = name;
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
