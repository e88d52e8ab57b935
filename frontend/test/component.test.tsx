import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { serverOf } from '../../static/js/core/client.js';
import { PhotoProcessor } from '../src/index.js';
import type { PhotoFault } from '../src/index.js';

// A server that knows two presets and refuses every job, as the real one does when its disk is full.
const PROBLEM = { type: 'about:blank', title: 'No room', status: 507, detail: 'The disk is full.', code: 'disk_full', hint: 'Delete old jobs.' };
const recipe = { operations: [{ op: 'remove_background' }], outputs: [{ name: 'full', format: 'png' }] };
const CATALOGUE = {
  operations: [
    { op: 'remove_background', title: 'Background', summary: 'Cut out.', schema: { properties: { background: { type: 'string', default: 'transparent', title: 'Colour', 'x-control': 'background' } } } },
    { op: 'resize', title: 'Resize', summary: 'Scale.', schema: { 'x-start': { width: 1600 }, properties: { width: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null, title: 'Width' } } } },
  ],
  outputs: { properties: { name: { type: 'string', default: 'full' }, format: { enum: ['png', 'webp'], default: 'png', title: 'Format' } } },
};
const ANSWERS: Record<string, object> = { '/api/operations': CATALOGUE, '/api/models': { auto: '', models: [] } };
const PRESETS = { presets: ['cutout', 'web'].map((name) => ({ name, title: name, description: name, recipe })) };
let server: Server;
let endpoint = '';
let bodies: string[] = [];
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const posted = request.method === 'POST';
    let body = '';
    request.setEncoding('utf-8').on('data', (part) => { body += part; }).on('end', () => {
      if (posted) bodies.push(body);
      response.writeHead(posted ? 422 : 200, { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*', 'Content-Type': 'application/json' });
      response.end(JSON.stringify(posted ? PROBLEM : ANSWERS[request.url!] ?? PRESETS));
      asked.push(request.url!);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
afterEach(() => {
  cleanup();
  bodies = [];
  asked = [];
});

const photo = () => new File([new Uint8Array([0xff, 0xd8, 0xff])], 'mug.jpg', { type: 'image/jpeg' });
const choose = (container: HTMLElement, ...files: File[]) => fireEvent.change(container.querySelector('input[type=file]')!, { target: { files } });

test('presets come from the server, and only those asked for', async () => {
  const { rerender } = render(<PhotoProcessor endpoint={endpoint} />);
  expect(await screen.findAllByRole('radio')).toHaveLength(2);
  rerender(<PhotoProcessor endpoint={endpoint} presets={['web']} />);
  expect(screen.queryAllByRole('radio')).toHaveLength(0);
});

test('a refusal is told to the person and to the page', async () => {
  const faults: PhotoFault[] = [];
  const { container } = render(<PhotoProcessor endpoint={endpoint} onError={(fault) => faults.push(fault)} />);
  choose(container, photo());
  expect((await screen.findByRole('alert')).textContent).toBe('The disk is full. Delete old jobs.');
  await waitFor(() => expect(faults.map(({ code }) => code)).toEqual(['disk_full']));
});

test('the chosen preset is what is asked of the server', async () => {
  const own = [
    { name: 'one', title: 'One', description: '', recipe },
    { name: 'two', title: 'Two', description: '', recipe: { operations: [{ op: 'resize', width: 77 }], outputs: recipe.outputs } },
  ];
  const { container } = render(<PhotoProcessor endpoint={endpoint} presets={own} />);
  fireEvent.click(screen.getByRole('radio', { name: 'Two' }));
  choose(container, photo());
  await waitFor(() => expect(bodies.join()).toContain('"width":77'));
});

test('classes, slots, theme and unstyled', () => {
  const { container } = render(
    <PhotoProcessor endpoint={endpoint} theme="dark" unstyled classNames={{ root: 'mine' }} slots={{ drop: () => <p>Here</p>, footer: ({ phase }) => <b>{phase}</b> }} />,
  );
  const root = container.querySelector('[data-pp-part="root"]')!;
  expect(root.className).toBe('mine');
  expect(root.getAttribute('data-pp-theme')).toBe('dark');
  expect(root.textContent).toContain('Here');
  expect(root.querySelector('b')!.textContent).toBe('empty');
});

test('texts can be replaced', () => {
  render(<PhotoProcessor endpoint={endpoint} messages={{ chooseFiles: 'Dateien wählen' }} locale="de" />);
  expect(screen.getByRole('button', { name: 'Dateien wählen' })).toBeTruthy();
});

test('dragging over it shows, and leaving hides', () => {
  const { container } = render(<PhotoProcessor endpoint={endpoint} />);
  const root = container.querySelector('[data-pp-part="root"]')!;
  fireEvent.dragOver(root, { dataTransfer: { types: ['Files'] } });
  expect(root.hasAttribute('data-pp-dragging')).toBe(true);
  fireEvent.dragLeave(root, { relatedTarget: document.body });
  expect(root.hasAttribute('data-pp-dragging')).toBe(false);
});

const found = (container: HTMLElement, selector: string) => waitFor(() => {
  const element = container.querySelector<HTMLElement>(selector);
  if (!element) throw new Error(`no ${selector} yet`);
  return element;
});
const optionsOf = (container: HTMLElement) => container.querySelectorAll<HTMLDetailsElement>('details[data-pp-part="options"]');

test('options are fetched when they are unfolded, change what is sent, and go back to the preset', async () => {
  const { container } = render(<StrictMode><PhotoProcessor endpoint={endpoint} /></StrictMode>);
  await screen.findAllByRole('radio');
  expect(optionsOf(container)).toHaveLength(1);
  expect(asked).not.toContain('/api/operations');
  optionsOf(container)[0]!.open = true;
  const use = await found(container, 'input[id$="use-resize"]');
  expect(asked.filter((url) => url === '/api/operations')).toHaveLength(1);
  fireEvent.click(use);
  fireEvent.input(screen.getByLabelText('Width'), { target: { value: '77' } });
  expect(container.querySelector('[data-pp-part="options-summary"]')!.textContent).toBe('Resize');
  choose(container, photo());
  await waitFor(() => expect(bodies.join()).toContain('{"op":"resize","width":77}'));
  fireEvent.click(screen.getByRole('button', { name: 'Back to the preset' }));
  expect(container.querySelector('[data-pp-part="options-summary"]')!.textContent).toBe('');
  bodies = [];
  choose(container, photo());
  await waitFor(() => expect(bodies.join()).toContain('remove_background'));
  expect(bodies.join()).not.toContain('resize');
});

test('options stay as they are while the component is drawn again, even by presets that are new objects', async () => {
  const own = () => [{ name: 'one', title: 'One', description: '', recipe: structuredClone(recipe) }];
  const { container, rerender } = render(<PhotoProcessor endpoint={endpoint} presets={own()} />);
  optionsOf(container)[0]!.open = true;
  fireEvent.click(await found(container, 'input[id$="use-resize"]'));
  rerender(<PhotoProcessor endpoint={endpoint} presets={own()} theme="dark" />);
  expect(container.querySelector('[data-pp-part="options-summary"]')!.textContent).toBe('Resize');
});

test('options go with the component, and can be left out', async () => {
  const { container, rerender, unmount } = render(<PhotoProcessor endpoint={endpoint} />);
  optionsOf(container)[0]!.open = true;
  rerender(<PhotoProcessor endpoint={endpoint} options={false} />);
  expect(optionsOf(container)).toHaveLength(0);
  rerender(<PhotoProcessor endpoint={endpoint} unstyled classNames={{ options: 'mine', 'form-section': 'part' }} />);
  expect(optionsOf(container)[0]!.className).toBe('mine');
  optionsOf(container)[0]!.open = true;
  expect((await found(container, '[data-section="resize"]')).className).toBe('part');
  unmount();
  expect(container.innerHTML).toBe('');
});

test('the element has the options too, and gives them up when it leaves', async () => {
  await import('../src/element.js');
  const element = document.createElement('photo-processor');
  element.setAttribute('endpoint', endpoint);
  document.body.append(element);
  expect(optionsOf(element)).toHaveLength(1);
  element.remove();
  expect(element.childElementCount).toBe(0);
  element.setAttribute('options', 'off');
  document.body.append(element);
  expect(optionsOf(element)).toHaveLength(0);
  element.remove();
});

test('an endpoint may end with slashes, or with the /api of older components', () => {
  for (const given of ['http://localhost:5000', 'http://localhost:5000/', 'http://localhost:5000/api', 'http://localhost:5000/api/']) {
    expect(serverOf(given)).toBe('http://localhost:5000');
  }
  expect(serverOf('https://intranet.example/photos/')).toBe('https://intranet.example/photos');
  expect(serverOf('http://api')).toBe('http://api');
  expect(serverOf('')).toBe('');
});
