/** A page in real Chromium with the interpreter in it, and the server that it comes from. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { PATIENCE } from '../rig/wait.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const NPM = path.resolve(HERE, '../../npm');
const needed = createRequire(path.join(NPM, 'package.json'));
const { build } = needed('esbuild');
const { chromium } = needed('playwright-core');

/** Where the wasm and its glue are. */
const WASM = process.env.TRAILMARK_WASM ?? path.resolve(NPM, '../..', process.env.CARGO_TARGET_DIR ?? 'target', 'wasm-web');

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** The interpreter and the stub in one file, with the same names shortened as in what is shipped. */
async function bundle() {
  const built = await build({
    entryPoints: [path.join(HERE, 'page.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    mangleProps: /_$/,
    sourcemap: 'inline',
  });
  return built.outputFiles[0].text;
}

/** Opens the page. `close` ends everything. */
export async function open() {
  const script = await bundle();
  const server = createServer((request, response) => void answer(script, request, response));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const browser = await chromium.launch({ ...CHROMIUM, timeout: PATIENCE });
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error('in the page:', error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'vectors' in globalThis);
  const close = async () => {
    await browser.close();
    await new Promise((closed) => server.close(closed));
  };
  return { page, close };
}

async function answer(script, request, response) {
  const { pathname } = new URL(request.url, 'http://page');
  const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
  if (pathname === '/') return send('text/html', '<!doctype html><script type="module" src="/page.js"></script>');
  if (pathname === '/page.js') return send(TYPES['.js'], script);
  try {
    send(TYPES[path.extname(pathname)] ?? 'text/plain', await readFile(path.join(WASM, path.basename(pathname))));
  } catch {
    response.writeHead(404).end();
  }
}
