/** What every test stands on: one server and one browser for a file of tests, and for each test a scene of its own. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';
import { openSite, policies } from './site.mjs';
import { until } from './wait.mjs';
import { openWire } from './wire.mjs';

/** The two senders that a page may have, by what its Content-Security-Policy allows. */
export const SENDERS = { engine: policies.wasm, plain: policies.strict };

/** The files without which a page has the stub alone, which counts nothing: its ledgers are those of rows. */
export const ENGINE_FILES = /engine/;

/** Quick enough for tests, and nothing that a page captures by itself: a ledger counts what it was told. */
const QUICK = { flushIntervalMs: 200 };
const SILENT = { pageviews: false, pageLeaves: false, clicks: false, vitals: false, errors: false, campaigns: false };

/** Starts a server and a browser before the tests of a file, and ends them after. */
export function openStage(settings) {
  const stage = {};
  before(async () => {
    [stage.server, stage.browser] = await Promise.all([startServer(), startBrowser(settings)]);
  });
  after(() => Promise.all([stage.server?.leave(), stage.browser?.leave()]));
  return stage;
}

/**
 * A project, a wire to its server and a site that sends over it, for one test. `policy` is one of site.mjs, by default
 * the one under which `sender` sends.
 */
export async function openScene(test, stage, { sender = 'engine', policy = SENDERS[sender], options, withhold, own } = {}) {
  const project = await stage.server.project(test.name);
  const wire = await openWire(stage.server);
  const settings = { apiHost: wire.url, ...QUICK, ...SILENT, ...options };
  const site = await openSite({ key: project.write, options: settings, csp: policy?.(wire.url), withhold });
  const context = own ? stage.browser.context : await stage.browser.fresh();
  test.after(async () => {
    if (!own) await context.close().catch(() => {});
    await Promise.all([site.leave(), wire.leave()]);
  });
  return { project, wire, site, context, sender, visit: (path) => visit(context, site, path) };
}

/** Opens a page of the site in a new tab. */
export async function visit(context, site, path = '/shop') {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(site.url + path);
  return page;
}

/** Captures events named `name` with `n` counting from `from`. */
export const track = (page, name, count = 1, from = 0) =>
  page.evaluate(
    ([name, count, from]) => {
      for (let n = from; n < from + count; n++) trailmark.track(name, { n });
    },
    [name, count, from],
  );

/** What the client of a page says of itself; nothing if it does not answer within a second. */
export const stats = (page) =>
  page.evaluate(() => Promise.race([trailmark.stats(), new Promise((resolve) => setTimeout(resolve, 1000, {}))]));

/** Waits until `sender` sends for this page. */
export async function untilSends(page, sender) {
  let last;
  const told = () => `${sender} to send, it is ${JSON.stringify(last)}; the console: ${page.complaints}`;
  return until(told, async () => (last = await stats(page)).sender === sender && last);
}

/** Waits until a page's client says that nothing waits, and that what it captured is delivered or counted. */
export async function untilAllSent(page, patience) {
  let last;
  const told = () => `nothing queued, it is ${JSON.stringify(last)}`;
  await until(told, async () => (last = await stats(page)).queued === 0, patience);
  const dropped = Object.values(last.dropped).reduce((all, one) => all + one, 0);
  assert.equal(last.captured, last.delivered + dropped, JSON.stringify(last));
  return last;
}
