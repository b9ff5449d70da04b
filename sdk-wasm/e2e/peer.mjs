/** A server as a page sees it: serves the SDK, takes batches, and fails when it is told to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { PATIENCE } from './rig/wait.mjs';

const KEY = 'tm_pk_for_tests_only';
const TYPES = { js: 'text/javascript', wasm: 'application/wasm' };
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };

/** Starts it. `files`: bodies by path. */
export async function startPeer(files) {
  const changed = new EventTarget();
  const peer = {
    /** Requests that carried events: `{ path, headers, batch, install, answered }`. */
    requests: [],
    /** The status of the next answers; `hang`: none comes. */
    mode: 202,
    /** Headers of pages. */
    pageHeaders: {},
    files: { ...files },
    /** A page's address: the client's options, and code that runs before the script. */
    page: (options = {}, before = '') => `${peer.origin}/?${new URLSearchParams({ options: JSON.stringify(options), before })}`,
    /** The events of answered requests. */
    events: () => peer.requests.filter((request) => request.answered).flatMap((request) => request.batch),
    named: (name) => peer.events().filter((event) => event.event === name),
    /** Resolves when `isSo()` is true, which is looked at whenever a request has come; else fails in the end. */
    async until(isSo, what = String(isSo)) {
      const signal = AbortSignal.timeout(PATIENCE);
      const late = () => assert.fail(`not in time: ${what}; ${JSON.stringify(peer.requests).slice(0, 2000)}`);
      while (!isSo()) await once(changed, 'request', { signal }).catch(late);
    },
    close: () => new Promise((done) => (server.close(done), server.closeAllConnections())),
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://peer');
    if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end();
    if (url.pathname === '/v1/batch') return answerBatch(peer, request, response, url, changed);
    const file = peer.files[url.pathname];
    if (file === undefined) return response.writeHead(200, { 'content-type': 'text/html', ...peer.pageHeaders }).end(html(url));
    return response.writeHead(200, { 'content-type': TYPES[url.pathname.split('.').pop()], ...CORS }).end(file);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  peer.origin = `http://127.0.0.1:${server.address().port}`;
  return peer;
}

async function answerBatch(peer, request, response, url, changed) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const body = JSON.parse(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
  const taken = { path: url.pathname + url.search, headers: request.headers, batch: body.batch, install: body.install_id, answered: peer.mode === 202 };
  peer.requests.push(taken);
  const receipt = JSON.stringify({ accepted: body.batch.length, results: [], next_send_after_ms: 0 });
  if (peer.mode !== 'hang') response.writeHead(peer.mode, CORS).end(peer.mode === 202 ? receipt : '');
  changed.dispatchEvent(new Event('request'));
}

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/'/g, '&#39;');

function html({ pathname, searchParams }) {
  const options = searchParams.get('options');
  if (pathname !== '/' || options === null) return '<!doctype html><title>elsewhere</title>';
  const defaults = { pageviews: false, pageLeaves: false, clicks: false, vitals: false, errors: false, campaigns: false };
  const all = JSON.stringify({ ...defaults, ...JSON.parse(options) });
  return `<!doctype html><title>page</title><script>${searchParams.get('before')}</script>
<script src="/sdk/trailmark.js" data-write-key="${KEY}" data-options='${escaped(all)}'></script>`;
}
