import { defineConfig } from 'vitest/config';

const CLIENT = new Set(['index', 'headless']); // what React's server components may not run

export default defineConfig({
  build: {
    lib: {
      entry: { index: 'src/index.ts', headless: 'src/headless.ts', core: 'src/core.ts', element: 'src/element.ts' },
      formats: ['es'],
    },
    target: 'es2023',
    minify: 'oxc',
    rolldownOptions: {
      external: /^react($|\/)/,
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        codeSplitting: { groups: [
          { name: 'large', test: /src\/viewer|js\/brush/ }, // what is fetched when a photo is opened
          { name: 'shared', priority: 1, test: /js\/core|src\/(job|language|messages|remove-background)/ },
        ] },
        banner: (chunk) => (CLIENT.has(chunk.name) ? "'use client';" : ''),
      },
    },
  },
  test: { environment: 'jsdom', include: ['test/**/*.test.{ts,tsx}'] },
});
