import { defineConfig } from 'vite';

const server = process.env.PHOTO_URL ?? 'http://127.0.0.1:5000';

export default defineConfig({
  // While developing, the photo server answers under the page's own address, so that it need not allow another origin.
  server: { proxy: { '/api': server, '/ws': { target: server, ws: true } } },
});
