/** The SDK from the server itself: what it answers, and pages of another origin that load it. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { freePort } from './rig/ports.mjs';
import { openStage, track, untilSends } from './rig/stage.mjs';
import { until } from './rig/wait.mjs';

const stage = openStage();

const SDK = '/sdk/v1';

/** Headers and the very bytes; `fetch` would unpack them. */
const ask = (path, headers = {}, method = 'GET') =>
  new Promise((resolve, reject) => {
    const answered = async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
    };
    const url = stage.server.url + path;
    request(url, { headers, method }, (response) => void answered(response)).on('error', reject).end();
  });

/** The files that the script leads to. */
async function names() {
  const [engine] = /engine-[0-9a-f]+\.js/.exec((await ask(`${SDK}/trailmark.js`)).body);
  const [wasm] = /engine-[0-9a-f]+\.wasm/.exec((await ask(`${SDK}/${engine}`)).body);
  return ['trailmark.js', engine, wasm];
}

test('each file comes as small as the browser can take it, and is the same', async () => {
  for (const name of await names()) {
    const path = `${SDK}/${name}`;
    const inForm = (codings) => ask(path, { 'accept-encoding': codings });
    const forms = await Promise.all(['', 'gzip', 'gzip, deflate, br, zstd'].map(inForm));
    const [plain, gzip, brotli] = forms;
    assert.deepEqual(forms.map(({ headers }) => headers['content-encoding']), [undefined, 'gzip', 'br'], name);
    assert.ok(gunzipSync(gzip.body).equals(plain.body) && brotliDecompressSync(brotli.body).equals(plain.body), name);
    assert.ok(brotli.body.length < gzip.body.length && gzip.body.length < plain.body.length, name);
    assert.equal(new Set(forms.map(({ headers }) => headers.etag)).size, 3, 'a tag for each form');
    assert.equal(brotli.headers.vary, 'accept-encoding');
    const head = await ask(path, { 'accept-encoding': 'br' }, 'HEAD');
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.equal(head.headers['content-length'], `${brotli.body.length}`);
  }
});

test('the script is asked for again, and the engine never', async () => {
  const [script, ...engine] = await names();
  const kept = async (name) => (await ask(`${SDK}/${name}`)).headers['cache-control'];
  assert.equal(await kept(script), 'public, max-age=300, stale-while-revalidate=86400');
  for (const name of engine) assert.equal(await kept(name), 'public, max-age=31536000, immutable');
  const { headers } = await ask(`${SDK}/${script}`);
  assert.equal((await ask(`${SDK}/${script}`, { 'if-none-match': headers.etag })).status, 304);
});

test('a page of another origin that isolates itself gets the engine, too', async (t) => {
  const isolated = { 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-opener-policy': 'same-origin' };
  const { page, project } = await visit(t, isolated);
  assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true);
  await untilSends(page, 'engine');
  await track(page, 'isolated', 3);
  await project.stored('isolated', 3);
});

test('a page that was open over an upgrade finds its engine gone, and delivers without', async (t) => {
  const engineUrl = `${stage.server.url}${SDK}/engine-0000000000.js`;
  const { page, project } = await visit(t, {}, { engineUrl }, (page) => page.clock.install());
  await until('the end of the search', () => page.complaints.some((text) => text.includes('404')));
  await track(page, 'outdated', 3);
  await until('the events', async () => {
    // The script alone sends every half minute.
    await page.clock.fastForward(30_000);
    return (await project.count('outdated')) === 3;
  });
  await project.stored('outdated', 3);
});

/** A page of an origin of its own, which names nothing but the server's script; `prepare` has it while it is empty. */
async function visit(test, headers, options = {}, prepare = () => {}) {
  const project = await stage.server.project(test.name);
  const start = `trailmark.init(${JSON.stringify(project.write)}, ${JSON.stringify({ flushIntervalMs: 200, ...options })});`;
  const page = `<!doctype html><title>Another origin</title><script src="${stage.server.url}${SDK}/trailmark.js"></script><script src="/start.js"></script>`;
  const listener = createServer((request, response) => {
    const isScript = request.url === '/start.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html', ...headers }).end(isScript ? start : page);
  });
  const port = await freePort();
  await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const context = await stage.browser.fresh();
  test.after(async () => {
    await context.close();
    listener.close();
    listener.closeAllConnections();
  });
  const shown = await context.newPage();
  shown.complaints = [];
  shown.on('console', (message) => shown.complaints.push(message.text()));
  await prepare(shown);
  await shown.goto(`http://127.0.0.1:${port}/`);
  return { page: shown, project };
}
