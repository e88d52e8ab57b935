// @vitest-environment node
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { PhotoProcessor } from '../src/index.js';

test('renders on a server, without a window', async () => {
  expect(typeof window).toBe('undefined');
  const html = renderToString(createElement(PhotoProcessor, { endpoint: 'http://photos.example' }));
  expect(html).toContain('data-pp-part="drop"');
  expect(html).toContain('Choose files');
  expect(html).not.toContain('<details'); // the options come when it is on the page
});

test('the element can be imported on a server', async () => {
  const { PhotoProcessorElement } = await import('../src/element.js');
  expect(PhotoProcessorElement.observedAttributes).toContain('job-id');
});
