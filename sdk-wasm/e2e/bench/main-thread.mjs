/**
 * What the SDK costs a page's main thread, on a CPU slowed down four times. Prints a table for bench/RESULTS.md.
 *
 * `node sdk-wasm/e2e/bench/main-thread.mjs`, on a machine that does nothing else; medians of {@link RUNS} loads each.
 */
import { openWire } from '../rig/wire.mjs';
import { slowDown, startBrowser } from '../rig/browser.mjs';
import { startServer } from '../rig/server.mjs';
import { openSite, policies } from '../rig/site.mjs';
import { until } from '../rig/wait.mjs';
import { traced } from './trace.mjs';

const RUNS = 7;
const SLOWER = 4;
const LOOP = 1000;

/** What is loaded: the page without the SDK is what the others are held against. */
const PAGES = {
  'no SDK': { path: '/elsewhere' },
  'stub alone': { path: '/measured', sender: 'plain', options: { engineUrl: false } },
  'stub, then engine': { path: '/measured', sender: 'engine', options: {} },
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function main() {
  const [server, browser] = await Promise.all([startServer(), startBrowser()]);
  try {
    const { write } = await server.project('bench');
    const wire = await openWire(server);
    const rows = [];
    for (const [name, setup] of Object.entries(PAGES)) rows.push([name, await measure(browser, wire, write, setup)]);
    print(rows);
    await wire.leave();
  } finally {
    await Promise.all([server.leave(), browser.leave()]);
  }
}

/** The medians of all loads of one page. */
async function measure(browser, wire, key, setup) {
  const site = await openSite({ key, options: { apiHost: wire.url, ...setup.options }, csp: policies.wasm(wire.url) });
  const loads = [];
  for (let run = 0; run < RUNS; run++) loads.push(await load(browser, site, setup));
  await site.leave();
  const names = Object.keys(loads[0]);
  return Object.fromEntries(names.map((name) => [name, median(loads.map((one) => one[name]))]));
}

/** Loads a page once, in a context of its own, and waits until nothing more happens. */
async function load(browser, site, { path, sender }) {
  const context = await browser.fresh();
  const page = await context.newPage();
  await slowDown(page, SLOWER);
  await page.addInitScript(observe);
  const tasks = await traced(page, async () => {
    await page.goto(site.url + path);
    if (sender) await until(`${sender} to send`, () => page.evaluate((who) => globalThis.ready?.who === who, sender));
    await page.evaluate(idle);
  });
  const seen = await page.evaluate(() => ({ ...globalThis.spent, ready: globalThis.ready?.at, shift: globalThis.shift }));
  const perTrack = sender ? await page.evaluate(loop, LOOP) : undefined;
  await context.close();
  return { longest: Math.max(...tasks), busy: tasks.reduce((all, one) => all + one, 0), ...seen, perTrack };
}

/** Runs before the page: adds up layout shifts, and looks when the sender is there. */
function observe() {
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  const look = async () => {
    const who = (await globalThis.trailmark?.stats?.())?.sender;
    if (who && who !== 'loading') globalThis.ready = { who, at: performance.now() };
    else setTimeout(look, 20);
  };
  setTimeout(look, 20);
}

/** Resolves when the page has been idle twice, a second apart: timers of the SDK come in between. */
function idle() {
  const quiet = () => new Promise((resolve) => requestIdleCallback(resolve));
  return quiet().then(() => new Promise((resolve) => setTimeout(resolve, 1000))).then(quiet).then(() => {});
}

/** Runs in the page: µs of one `track` in a loop. */
function loop(count) {
  const started = performance.now();
  for (let n = 0; n < count; n++) trailmark.track('loop', { n, plan: 'pro', total: 12.5 });
  return ((performance.now() - started) * 1000) / count;
}

const ms = (value) => (value === undefined ? '' : value.toFixed(1));

function print(rows) {
  console.log(`CPU slowed down ${SLOWER} times, medians of ${RUNS} loads; \`track\` in a loop of ${LOOP}.\n`);
  console.log('| page | longest task ms | all tasks ms | script ms | init + first track ms | sender ready ms | track µs | layout shift |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [name, m] of rows) {
    const cells = [ms(m.longest), ms(m.busy), ms(m.script), ms(m.init), ms(m.ready), ms(m.perTrack), m.shift];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

await main();
