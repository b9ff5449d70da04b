/** A web site of its own origin: pages that load the SDK, under the headers that a test wants. */
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { freePort } from './ports.mjs';

/** The built SDK, as a server serves it. */
const FILES = process.env.TRAILMARK_SDK ?? fileURLToPath(new URL('../../npm/dist/v1', import.meta.url));

const TYPES = { js: 'text/javascript; charset=utf-8', wasm: 'application/wasm' };

/** A page without the SDK: where a visitor goes. */
const ELSEWHERE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Elsewhere</title><p>Elsewhere.</p>';

const page = (path) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Page ${path}</title>
${scriptsOf(path).map((source) => `<script src="${source}"></script>`).join('\n')}
<h1>Page ${path}</h1>
<p><a href="/elsewhere">Elsewhere</a> <button id="buy">Buy</button></p>
`;

/** Captures and leaves before the engine can be there. */
const HASTY = "for (let n = 0; n < 3; n++) trailmark.track('left', { n }); location.href = '/elsewhere';";

/** Captures more than anybody should before the engine can be there. */
const FLOOD = "for (let n = 0; n < 10000; n++) trailmark.track('busy', { n });";

const SDK = '/sdk/v1/trailmark.js';

function scriptsOf(path) {
  if (path === '/hasty') return [SDK, '/start.js', '/hasty.js'];
  if (path === '/flood') return [SDK, '/start.js', '/flood.js'];
  if (path === '/measured') return ['/before.js', SDK, '/after.js', '/start-measured.js'];
  return [SDK, '/start.js'];
}

/** Scripts of pages, by their path. */
const scripts = {
  '/start.js': ({ key, options }) => `trailmark.init(${JSON.stringify(key)}, ${JSON.stringify(options)});`,
  '/hasty.js': () => HASTY,
  '/flood.js': () => FLOOD,
  '/before.js': () => 'globalThis.spent = { begun: performance.now() };',
  '/after.js': () => 'spent.script = performance.now() - spent.begun;',
  '/start-measured.js': (site) => `{
    const begun = performance.now();
    ${scripts['/start.js'](site)}
    trailmark.track('first', { plan: 'pro' });
    spent.init = performance.now() - begun;
  }`,
};

/** Content-Security-Policies; `host` is the address of the analytics server. */
export const policies = {
  strict: (host) => `default-src 'none'; script-src 'self'; connect-src 'self' ${host}`,
  wasm: (host) => `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${host}`,
  trustedTypes: (host) => `${policies.wasm(host)}; require-trusted-types-for 'script'; trusted-types 'none'`,
  /** An origin without storage of any kind: every access throws. */
  sandbox: () => 'sandbox allow-scripts',
};

/**
 * Opens a site whose pages call `trailmark.init(key, options)`. A test may change, at any time, its
 * - `csp`: the header of that name;
 * - `withhold`: a pattern of SDK files that are 404;
 * - `key` and `options`: what pages start with.
 */
export async function openSite({ key, options = {}, csp, withhold }) {
  const port = await freePort();
  const site = { url: `http://127.0.0.1:${port}`, key, options, csp, withhold, served: [] };
  const listener = createServer((request, response) => serve(site, request.url.split('?')[0], response));
  await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
  site.leave = () =>
    new Promise((resolve) => {
      listener.close(resolve);
      listener.closeAllConnections();
    });
  return site;
}

function serve(site, path, response) {
  site.served.push(path);
  if (path in scripts) return answer(response, TYPES.js, scripts[path](site));
  if (path.startsWith('/sdk/v1/')) return serveFile(site, path.slice('/sdk/v1/'.length), response);
  if (path === '/favicon.ico') return response.writeHead(204).end();
  const policy = site.csp ? { 'content-security-policy': site.csp } : {};
  answer(response, 'text/html; charset=utf-8', path === '/elsewhere' ? ELSEWHERE : page(path), policy);
}

function serveFile(site, name, response) {
  const exists = readdirSync(FILES).includes(name);
  if (!exists || site.withhold?.test(name)) return response.writeHead(404).end();
  answer(response, TYPES[name.split('.').pop()], readFileSync(`${FILES}/${name}`));
}

function answer(response, type, body, headers = {}) {
  response.writeHead(200, { 'content-type': type, 'access-control-allow-origin': '*', ...headers }).end(body);
}
