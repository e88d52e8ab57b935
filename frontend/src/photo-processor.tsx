import { useEffect, useId, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { createClient } from '../../static/js/core/client.js';
import { groupOf } from '../../static/js/core/store.js';
import { countText, createFormat, fileText, jobText } from '../../static/js/core/words.js';
import type { FileView, Preset } from '../../static/js/core/types.js';
import { faultOf } from './job.js';
import { usePhotoJob } from './headless.js';
import type { PhotoJobView, UsePhotoJobOptions } from './headless.js';

export type Part =
  | 'root' | 'presets' | 'preset' | 'drop' | 'drop-title' | 'choose' | 'fault' | 'bar' | 'count' | 'progress' | 'stage'
  | 'actions' | 'button' | 'zip' | 'files' | 'file' | 'thumb' | 'name' | 'status' | 'reason' | 'retry' | 'download';

export interface PhotoProcessorProps extends Omit<UsePhotoJobOptions, 'recipe'> {
  /** What can be made: presets of one's own, or the names of some of the server's; all of the server's without it. */
  presets?: readonly Preset[] | readonly string[];
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
  const { presets, classNames = {}, slots = {}, theme = 'auto', unstyled = false, locale = 'en', ...options } = props;
  const { offered, chosen, choose, fault } = usePresets(presets, options);
  const view = usePhotoJob({ ...options, locale, recipe: chosen?.recipe });
  const format = useMemo(() => createFormat(view.t, locale), [view.t, locale]);
  const group = useId();
  const { state, job, files, phase, progress, t } = view;
  const shownFault = view.fault ?? fault;

  const part = (name: Part) => ({
    'data-pp-part': name,
    className: [unstyled ? '' : `pp-${name}`, classNames[name]].filter(Boolean).join(' ') || undefined,
  });

  return (
    <section {...part('root')} {...view.getDropProps()} data-pp-theme={theme} data-pp-phase={phase} aria-label={t('app')}>
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
      <input {...view.getInputProps()} />
      {slots.drop ? slots.drop(view) : (
        <div {...part('drop')}>
          <p {...part('drop-title')}>{t('dropHere')}</p>
          <button {...view.getChooseProps()} {...part('choose')}>{t('chooseFiles')}</button>
        </div>
      )}
      {shownFault && (
        <p {...part('fault')} role="alert">{[shownFault.message, shownFault.hint].filter(Boolean).join(' ')}</p>
      )}
      {phase !== 'empty' && (
        <>
          <div {...part('bar')}>
            <p {...part('count')}>{countText(progress.processed, progress.total, state.counts.failed, state.counts.look, t)}</p>
            <div {...part('actions')}>{actions()}</div>
            <progress {...part('progress')} max={100} value={progress.percentage} aria-label={t('progress')} />
            <p {...part('stage')} role="status">{[jobText(job, false, t), left()].filter(Boolean).join(', ')}</p>
          </div>
          <ul {...part('files')}>
            {files.map((file) => <li key={file.key} {...part('file')} data-pp-status={file.status} data-pp-group={groupOf(file)}>{fileOf(file)}</li>)}
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
        {phase === 'working' && job && button(t('cancel'), view.cancel)}
        {phase === 'ended' && state.counts.failed > 0 && button(t('retryFailed'), () => view.retry())}
        {phase === 'ended' && button(t('startOver'), view.reset)}
        {zip.href && <a {...zip} {...part('zip')}>{t('downloadZip')}</a>}
      </>
    );
  }

  function fileOf(file: FileView) {
    if (slots.file) return slots.file(file, view);
    const thumbnail = view.getThumbnailProps(file);
    const reason = file.error ? [file.error.message, file.error.hint] : file.warnings.map(({ message }) => message);
    return (
      <>
        <span {...part('thumb')}>{thumbnail.src && <img key={thumbnail.src} {...thumbnail} onError={(event) => { event.currentTarget.hidden = true; }} />}</span>
        <span {...part('name')} title={file.name}>{file.name}</span>
        <span {...part('status')}>{fileText(file, state.model, t)}</span>
        {reason.some(Boolean) && <span {...part('reason')}>{reason.filter(Boolean).join(' ')}</span>}
        {groupOf(file) === 'failed' && <button {...view.getRetryProps(file)} {...part('retry')}>{t('retry')}</button>}
        {file.status === 'completed' && <a {...view.getDownloadProps(file)} {...part('download')}>{t('downloadResult')}</a>}
      </>
    );
  }
}

/** The server's presets, fetched once the component is on the page, unless all are given. */
function usePresets(given: PhotoProcessorProps['presets'], { endpoint = '', onError }: UsePhotoJobOptions) {
  const own = useMemo(() => (given ?? []).filter((one): one is Preset => typeof one !== 'string'), [given]);
  const [fetched, setFetched] = useState<Preset[]>([]);
  const [name, choose] = useState('');
  const [fault, setFault] = useState<ReturnType<typeof faultOf> | null>(null);
  const needed = own.length === 0;
  useEffect(() => {
    if (!needed) return undefined;
    let current = true;
    createClient(endpoint.replace(/\/+$/, '')).presets().then(({ presets }) => current && setFetched(presets), (error) => {
      if (!current) return;
      setFault(faultOf(error));
      onError?.(faultOf(error));
    });
    return () => {
      current = false;
    };
  }, [endpoint, needed]);
  const offered = needed ? fetched.filter((preset) => !given?.length || (given as readonly string[]).includes(preset.name)) : own;
  return { offered, chosen: offered.find((preset) => preset.name === name) ?? offered[0], choose, fault };
}
