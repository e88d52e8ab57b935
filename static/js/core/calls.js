/**
 * The server's other HTTP calls: presets, models, all jobs. A view of one job does without them.
 *
 * @import { Client, JobClient } from './types.js'
 */

import { JSON_TYPE, query } from './client.js';

/** @param {JobClient} client @returns {Client} */
export function withAllCalls(client) {
  const { call, answer } = client;
  const at = (/** @type {string} */ kind, /** @type {string} */ name) => `/api/${kind}/${encodeURIComponent(name)}`;

  /** @type {Omit<Client, keyof JobClient>} */
  const calls = {
    putPreset: (name, preset) => call('PUT', at('presets', name), { form: JSON.stringify(preset), headers: JSON_TYPE }),
    async deletePreset(name) {
      await answer('DELETE', at('presets', name));
    },
    downloadModel: (name) => call('POST', `${at('models', name)}/download`),
    optimiseModel: (name) => call('POST', `${at('models', name)}/optimize`),
    async sample() {
      const response = await answer('GET', '/api/sample');
      const named = /filename="?([^";]+)/.exec(response.headers.get('Content-Disposition') || '');
      return { file: await response.blob(), name: named ? named[1] : 'sample.jpg' };
    },

    stats: () => call('GET', '/api/stats'),
    health: () => call('GET', '/health'),
    jobs: (page) => call('GET', `/api/jobs${query(page)}`),
    change: (id, values) => call('PATCH', at('jobs', id), { form: JSON.stringify(values), headers: JSON_TYPE }),
    nameFile: (id, file, naming) => call('PATCH', `${at('jobs', id)}/files/${encodeURIComponent(file)}`, { form: JSON.stringify(naming), headers: JSON_TYPE }),
    acceptFiles: (id, files, accepted) => call('POST', `${at('jobs', id)}/files/accept`, { form: JSON.stringify({ files, accepted }), headers: JSON_TYPE }),
    names: (id) => call('GET', `${at('jobs', id)}/names`),
    deleteFiles: (id, files, keepalive) => call('POST', `${at('jobs', id)}/files/delete`, { form: JSON.stringify({ files }), headers: JSON_TYPE, keepalive }),
    async deleteFile(id, file) {
      await answer('DELETE', `${at('jobs', id)}/files/${encodeURIComponent(file)}`);
    },
    fetchUrls({ recipe, name }, urls, key) {
      const form = new FormData();
      form.append('recipe', JSON.stringify(recipe));
      if (name) form.append('name', name);
      for (const url of urls) form.append('urls', url);
      return call('POST', '/api/jobs', { form, headers: { 'Idempotency-Key': key } });
    },
  };
  /** @type {Omit<Client['url'], keyof JobClient['url']>} */
  const addresses = {
    sheet: (id, options) => client.url.zip(id).replace(/download$/, `sheet${query(options)}`),
    source: (id, file) => client.url.mask(id, file).replace(/mask$/, 'source'),
  };
  return { ...client, ...calls, url: { ...client.url, ...addresses } };
}
