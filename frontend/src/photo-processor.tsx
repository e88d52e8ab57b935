import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { same } from '../../static/js/core/same.js';
import { canRetry, groupOf, mayTryOther, reasonsOf } from '../../static/js/core/store.js';
import { countText, createFormat, fileText, jobText } from '../../static/js/core/words.js';
import type { FileView, Format, Preset, Recipe } from '../../static/js/core/types.js';
import { CUTOUT, presetsOf, textOf } from './job.js';
import type { PhotoFault } from './job.js';
import { usePhotoJob } from './headless.js';
import type { Filter, PhotoJobView, UsePhotoJobOptions } from './headless.js';
import type { ClassOf } from './make.js';
import { createOptions } from './options.js';
import type { Options, OptionsPart } from './options.js';
import type { Viewer, ViewerPart } from './viewer.js';

export type Part =
  | 'root' | 'presets' | 'preset' | 'made-as' | 'drop' | 'drop-title' | 'choose' | 'fault' | 'bar' | 'count' | 'progress' | 'stage'
  | 'actions' | 'button' | 'zip' | 'filters' | 'filter' | 'files' | 'file' | 'thumb' | 'name' | 'status' | 'reason' | 'retry'
  | 'other' | 'accept' | 'download' | 'nothing' | OptionsPart | ViewerPart;

export interface PhotoProcessorProps extends Omit<UsePhotoJobOptions, 'recipe'> {
  /** What can be made: presets of one's own, or the names of some of the server's; all of the server's without it. */
  presets?: readonly Preset[] | readonly string[];
  /** Whether what the preset makes can be changed, in a form that is fetched when it is unfolded; it can without it. */
  options?: boolean;
  /** Further classes, by part. */
  classNames?: Partial<Record<Part, string>>;
  /** Other looks for a part of it. */
  slots?: {
    drop?: (view: PhotoJobView) => ReactNode;
    file?: (file: FileView, view: PhotoJobView) => ReactNode;
    footer?: (view: PhotoJobView) => ReactNode;
  };
  theme?: 'auto' | 'light' | 'dark';
  /** Without the classes that `styles.css` dresses. */
  unstyled?: boolean;
}

export function PhotoProcessor(props: PhotoProcessorProps) {
  const { presets, options = true, classNames = {}, slots = {}, theme = 'auto', unstyled = false, locale = 'en', ...rest } = props;
  const { endpoint, apiKey, jobId, messages, onJobCreated, onProgress, onFileComplete, onComplete, onError, ...unknown } = rest;
  const [name, choose] = useState('');
  const [fetched, setFetched] = useState<Preset[]>([]);
  const [opened, setOpened] = useState<Recipe | null>(null); // how the job was made that was there before
  const offered = offeredOf(presets, fetched);
  const chosen = offered.find((preset) => preset.name === name)
    ?? (opened ? offered.find(({ recipe }) => same(recipe, opened)) : offered[0]);
  const preset = chosen?.recipe ?? opened ?? CUTOUT;
  const [changed, setChanged] = useState<Recipe>();
  const view = usePhotoJob({ ...rest, locale, recipe: changed ?? preset });
  const openedNow = view.photoJob.opened();
  useEffect(() => {
    setOpened(openedNow);
    choose('');
    setChanged(undefined);
  }, [jobId, JSON.stringify(openedNow)]);
  const madeAs = useMadeAs(view, opened, offered);
  const { fault, retry } = useFetchedPresets(view, offered === presets, presets as readonly string[] | undefined, setFetched, onError);
  const strange = Object.keys(unknown).filter((name) => !/^(data|aria)-/.test(name)).join(', ');
  useEffect(() => {
    if (strange) import('./later.js').then(({ warnOfNames }) => warnOfNames('prop', strange));
  }, [strange]);
  const root = useRef<HTMLElement>(null);
  const viewer = useRef<Viewer | null>(null);
  const latest = useRef(view);
  latest.current = view;
  const format = useMemo(() => createFormat(view.t, locale), [view.t, locale]);
  const group = useId();
  const { state, job, shown, phase, progress, t } = view;
  const shownFault = view.fault ?? fault;

  const part = (name: Part) => ({
    'data-pp-part': name,
    className: [unstyled ? '' : `pp-${name}`, classNames[name]].filter(Boolean).join(' ') || undefined,
  });

  const latestPart = useRef(part);
  latestPart.current = part;
  const classOf = (one: string) => latestPart.current(one as Part).className;
  const island = useOptions(options, view, format, classOf, preset, opened, setChanged);

  useEffect(() => () => viewer.current?.close(), []);

  /** Before and after, large; fetched when it is first asked for. */
  async function open(file: FileView, other = false) {
    const { openViewer } = await import('./later.js');
    if (root.current && file.id) {
      viewer.current?.close();
      viewer.current = openViewer(root.current, { job: view.photoJob, t, format, key: file.key, shown: () => latest.current.shown, classOf, other });
    }
  }

  return (
    <section ref={root} {...part('root')} {...view.getDropProps()} data-pp-theme={theme} data-pp-phase={phase} aria-label={t('app')}>
      {offered.length > 1 && (
        <fieldset {...part('presets')}>
          <legend>{t('whatToMake')}</legend>
          {offered.map((preset) => (
            <label key={preset.name} {...part('preset')} title={preset.description}>
              <input
                type="radio" name={group} value={preset.name}
                checked={preset === chosen} onChange={() => choose(preset.name)}
              />
              {preset.title}
            </label>
          ))}
        </fieldset>
      )}
      {madeAs && <p {...part('made-as')}>{t('madeAs', { what: madeAs })}</p>}
      {options && <div ref={island} />}
      <input {...view.getInputProps()} />
      {slots.drop ? slots.drop(view) : (
        <div {...part('drop')}>
          <p {...part('drop-title')}>{t('dropHere')}</p>
          <button {...view.getChooseProps()} {...part('choose')}>{t('chooseFiles')}</button>
        </div>
      )}
      {shownFault && (
        <p {...part('fault')} role="alert">{textOf(shownFault)}{shownFault === fault && <button type="button" {...part('retry')} onClick={retry}>{t('retry')}</button>}</p>
      )}
      {phase !== 'empty' && (
        <>
          <div {...part('bar')}>
            <p {...part('count')}>{countText(progress.processed, progress.total, state.counts.failed, state.counts.look, t)}</p>
            <div {...part('actions')}>{actions()}</div>
            <progress {...part('progress')} max={100} value={progress.percentage} aria-label={t('progress')} />
            <p {...part('stage')} role="status">{[jobText(job, false, t), left()].filter(Boolean).join(', ')}</p>
          </div>
          {view.counts.all > 1 && (
            <div {...part('filters')} role="group" aria-label={t('filter')}>
              {FILTERS.map(([filter, label]) => (
                <button key={filter} {...view.getFilterProps(filter)} {...part('filter')}>{t(label)} <b>{view.counts[filter]}</b></button>
              ))}
            </div>
          )}
          {!shown.length && <p {...part('nothing')}>{t('noneOfThese')}</p>}
          <ul {...part('files')}>
            {shown.map((file) => <li key={file.key} {...part('file')} data-pp-status={file.status} data-pp-group={groupOf(file)}>{fileOf(file)}</li>)}
          </ul>
        </>
      )}
      {slots.footer?.(view)}
    </section>
  );

  function left() {
    return job?.status === 'processing' ? format.left(job.eta) : '';
  }

  function actions() {
    const button = (label: string, onClick: () => void) => <button type="button" {...part('button')} onClick={onClick}>{label}</button>;
    const zip = view.getZipProps();
    return (
      <>
        {(job?.status === 'queued' || job?.status === 'processing') && button(t('pause'), view.pause)}
        {job?.status === 'paused' && button(t('resume'), view.resume)}
        {phase === 'working' && job && button(t('cancel'), view.cancel)}
        {phase === 'ended' && view.files.some(canRetry) && button(t('retryFailed'), () => view.retry())}
        {view.undoable.length > 0 && button(t('undoRedo', { n: view.undoable.length }), () => view.undo())}
        {view.mayRedo && button(t('redo'), view.redoAll)}
        {phase === 'ended' && button(t('startOver'), view.reset)}
        {zip.href && <a {...zip} {...part('zip')}>{t('downloadZip')}</a>}
      </>
    );
  }

  function fileOf(file: FileView) {
    if (slots.file) return slots.file(file, view);
    const thumbnail = view.getThumbnailProps(file);
    const reasons = reasonsOf(file);
    return (
      <>
        <button type="button" {...part('thumb')} aria-label={t('open', { name: file.name })} disabled={file.status !== 'completed' && !file.error} onClick={() => open(file)}>
          {thumbnail.src && <img key={thumbnail.src} {...thumbnail} onError={(event) => { event.currentTarget.hidden = true; }} />}
        </button>
        <span {...part('name')} title={file.name} dir="auto">{file.name}</span>
        <span {...part('status')}>{fileText(file, state.model, t)}</span>
        {reasons.length > 0 && <span {...part('reason')}>{reasons.join(' ')}</span>}
        {file.status === 'completed' && !!file.review?.length && <button type="button" {...part('accept')} aria-label={`${t('looksFine')}: ${file.name}`} onClick={() => view.accept(file)}>{t('looksFine')}</button>}
        {canRetry(file) && <button {...view.getRetryProps(file)} {...part('retry')}>{t('retry')}</button>}
        {mayTryOther(file, job) && <button type="button" {...part('other')} aria-label={`${t('otherModel')}: ${file.name}`} onClick={() => open(file, true)}>{t('otherModel')}</button>}
        {file.status === 'completed' && <a {...view.getDownloadProps(file)} {...part('download')}>{t('downloadResult')}</a>}
      </>
    );
  }
}

const FILTERS: [Filter, string][] = [['all', 'filterAll'], ['done', 'filterDone'], ['look', 'filterLook'], ['failed', 'filterFailed']];

/** Presets of one's own as they are, else those of the server, or some of them. */
function offeredOf(given: PhotoProcessorProps['presets'], fetched: readonly Preset[]): readonly Preset[] {
  if (!given?.length) return fetched;
  if (typeof given[0] !== 'string') return given as readonly Preset[];
  return fetched.filter(({ name }) => (given as readonly string[]).includes(name));
}

/** What is drawn without React: the options, in the element that the reference is given to. */
function useOptions(on: boolean, { photoJob, t }: PhotoJobView, format: Format, classOf: ClassOf, preset: Recipe, made: Recipe | null, change: (recipe: Recipe | undefined) => void) {
  const holder = useRef<HTMLDivElement>(null);
  const drawn = useRef<Options | null>(null);
  useEffect(() => {
    if (!holder.current) return undefined;
    const options = createOptions({ job: photoJob, t, format, classOf, change });
    drawn.current = options;
    holder.current.append(options.element);
    return options.close;
  }, [on, photoJob, t, format]);
  const recipe = JSON.stringify([preset, made]); // presets may be new objects on every render
  useEffect(() => {
    drawn.current?.show(preset, made);
    change(undefined);
  }, [on, photoJob, t, format, recipe]);
  return holder;
}

/** What the job was made as that was opened; empty for one that was sent from here. */
function useMadeAs({ photoJob, language }: PhotoJobView, opened: Recipe | null, offered: readonly Preset[]): string {
  const [text, setText] = useState('');
  const recipe = JSON.stringify(opened);
  const titles = JSON.stringify(offered.map(({ title }) => title));
  useEffect(() => {
    let current = true;
    setText('');
    if (opened) photoJob.madeAs(opened, offered).then((found) => current && setText(found), () => {}); // it is shown without
    return () => {
      current = false;
    };
  }, [photoJob, language, recipe, titles]);
  return text;
}

/** Asks the server for its presets once the component is on the page and knows its language; the fault, if there is one, and another try. */
function useFetchedPresets(view: PhotoJobView, own: boolean, names: readonly string[] | undefined, set: (presets: Preset[]) => void, onError: UsePhotoJobOptions['onError']) {
  const [fault, setFault] = useState<PhotoFault | null>(null);
  const [tries, setTries] = useState(0);
  const { client, language, t } = view;
  const wanted = own || names?.join(' '); // names may be a new array on every render
  useEffect(() => {
    if (own || !language.ready) return undefined;
    let current = true;
    presetsOf(client, names, t).then((presets) => {
      if (!current) return;
      setFault(null);
      set(presets);
    }, (found: PhotoFault) => {
      if (!current) return;
      setFault(found);
      onError?.(found);
    });
    return () => {
      current = false;
    };
  }, [client, language, wanted, tries]);
  return { fault, retry: () => setTries((n) => n + 1) };
}
