import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { PhotoProcessor } from '../src/index.js';
import type { PhotoFault } from '../src/index.js';

// A server that knows two presets and refuses every job, as the real one does when its disk is full.
const PROBLEM = { type: 'about:blank', title: 'No room', status: 507, detail: 'The disk is full.', code: 'disk_full', hint: 'Delete old jobs.' };
const recipe = { operations: [{ op: 'remove_background' }], outputs: [{ name: 'full', format: 'png' }] };
const PRESETS = { presets: ['cutout', 'web'].map((name) => ({ name, title: name, description: name, recipe })) };
let server: Server;
let endpoint = '';
let bodies: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const posted = request.method === 'POST';
    let body = '';
    request.setEncoding('utf-8').on('data', (part) => { body += part; }).on('end', () => {
      if (posted) bodies.push(body);
      response.writeHead(posted ? 422 : 200, { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*', 'Content-Type': 'application/json' });
      response.end(JSON.stringify(posted ? PROBLEM : PRESETS));
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
afterEach(() => {
  cleanup();
  bodies = [];
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
