// One page with the component and one with the element; the address says which, and what it is given.
import { createRoot } from 'react-dom/client';
import { PhotoProcessor } from 'photo-processor';
import 'photo-processor/element';
import 'photo-processor/styles.css';
import './page.css';
import hostile from './hostile.css?raw';

const { view, host, ...given } = Object.fromEntries(new URLSearchParams(location.search));
const root = document.getElementById('root');
const jobId = location.hash.slice(1);
const created = (job) => { location.hash = job.id; };
window.told = [];
if (host === 'hostile') document.head.append(Object.assign(document.createElement('style'), { textContent: hostile }));

if (view === 'component') {
  const tell = (name) => (detail) => window.told.push([name, detail]);
  createRoot(root).render(
    <PhotoProcessor
      {...given} options={given.options !== 'off'} presets={['cutout', 'cutout_white']} jobId={jobId || undefined}
      onJobCreated={created} onComplete={tell('complete')} onFileComplete={tell('file-complete')} onError={tell('error')}
    />,
  );
} else {
  const element = document.createElement('photo-processor');
  const { apiKey, ...attributes } = given;
  for (const [name, value] of Object.entries({ ...attributes, presets: 'cutout cutout_white' })) element.setAttribute(name, value);
  if (jobId) element.setAttribute('job-id', jobId);
  element.apiKey = apiKey ?? '';
  element.addEventListener('job-created', ({ detail }) => created(detail));
  for (const name of ['complete', 'file-complete', 'error']) element.addEventListener(name, ({ detail }) => window.told.push([name, detail]));
  root.append(element);
}
