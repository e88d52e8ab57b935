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
        minify: { compress: true, mangle: true, codegen: { removeWhitespace: true } }, // Vite leaves the white space of libraries
        comments: { annotation: false, jsdoc: false },
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        codeSplitting: { groups: [ // what is left comes later
          { name: 'shared', test: /js\/core\/(?!calls|deletion|form|recipe|picker)|src\/(function|job|language|make|messages|options)\.[jt]s/ },
        ] },
        banner: (chunk) => (CLIENT.has(chunk.name) ? "'use client';" : ''),
      },
    },
  },
  test: { environment: 'jsdom', include: ['test/**/*.test.{ts,tsx}'] },
});
