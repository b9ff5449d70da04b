/** The npm package, as an app gets it: packed, installed, built by Vite, and run in Chromium. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { startBrowser } from './rig/browser.mjs';
import { makeHome } from './rig/home.mjs';
import { freePort } from './rig/ports.mjs';
import { PATIENCE, until } from './rig/wait.mjs';

const require = createRequire(new URL('../npm/package.json', import.meta.url));
const { build, createServer: createDevServer } = await import(pathToFileURL(require.resolve('vite')));

const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };
const PACKAGE = fileURLToPath(new URL('../npm', import.meta.url));

let home;
let app;
let browser;

before(async () => {
  home = makeHome();
  app = `${home.path}/app`;
  cpSync(new URL('vite', import.meta.url), app, { recursive: true });
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--pack-destination', home.path], PACKAGE));
  npm(['install', '--no-save', '--no-audit', '--no-fund', '--offline', `${home.path}/${filename}`], app);
  browser = await startBrowser();
});
after(() => Promise.all([browser?.leave(), home?.leave()]));

function npm(words, cwd) {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

test('the package holds what its page says, and nothing else', () => {
  const files = readdirSync(`${app}/node_modules/trailmark-web/dist/npm`).sort();
  assert.deepEqual(files, ['api.d.ts', 'engine.js', 'engine.wasm', 'index.d.ts', 'index.js']);
  assert.deepEqual(readdirSync(`${app}/node_modules/trailmark-web`).sort(), ['README.md', 'dist', 'package.json']);
});

test('an app built by Vite loads the engine from its own files, and its events arrive', async () => {
  await build({ root: app, logLevel: 'error' });
  const names = readdirSync(`${app}/dist/assets`).join(' ');
  assert.match(names, /engine-[\w-]+\.js/);
  assert.match(names, /engine-[\w-]+\.wasm/);
  const site = await openSite(`${app}/dist`);
  try {
    await assertDelivers(site, site.received);
    assert.equal(site.missing.length, 0, `not found: ${site.missing}`);
  } finally {
    await site.leave();
  }
});

test("Vite's development server gives an app its engine, too", async () => {
  const port = await freePort();
  const recorder = await openSite(`${app}/dist`);
  const server = { host: '127.0.0.1', port, strictPort: true, proxy: { '/v1': recorder.url } };
  const vite = await createDevServer({ root: app, logLevel: 'error', server });
  await vite.listen();
  try {
    await assertDelivers({ url: `http://127.0.0.1:${port}` }, recorder.received);
  } finally {
    await vite.close();
    await recorder.leave();
  }
});

test('a server that renders pages may import it, and every call does nothing', () => {
  const said = execFileSync(process.execPath, ['render.mjs'], { cwd: app, encoding: 'utf8', timeout: PATIENCE });
  assert.equal(said, 'rendered\n');
});

async function assertDelivers(site, received) {
  const context = await browser.fresh();
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(site.url);
  await until('the engine', () => page.evaluate(async () => (await window.trailmark.stats()).sender === 'engine'));
  await page.click('#buy');
  const names = () => received.map((event) => event.event);
  await until(() => `all events, not ${names()}`, () => ['app_started', 'bought'].every((name) => names().includes(name)));
  assert.deepEqual(received.find(({ event }) => event === 'app_started').properties, { bundler: 'vite' });
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Serves a folder, and takes every event that is posted. */
async function openSite(folder) {
  const site = { received: [], missing: [] };
  const listener = createServer((request, response) =>
    request.method === 'POST' ? take(site, request, response) : serve(site, folder, request, response),
  );
  const port = await freePort();
  await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const leave = () =>
    new Promise((resolve) => {
      listener.close(resolve);
      listener.closeAllConnections();
    });
  return Object.assign(site, { url: `http://127.0.0.1:${port}`, leave });
}

async function take(site, request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  const { batch } = JSON.parse(text);
  site.received.push(...batch);
  response.writeHead(202, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ accepted: batch.length, results: [], next_send_after_ms: 0 }));
}

function serve(site, folder, request, response) {
  const path = request.url === '/' ? '/index.html' : request.url.split('?')[0];
  if (path === '/favicon.ico') return response.writeHead(204).end();
  try {
    const body = readFileSync(folder + path);
    response.writeHead(200, { 'content-type': TYPES[path.split('.').pop()] }).end(body);
  } catch {
    site.missing.push(path);
    response.writeHead(404).end();
  }
}
