/**
 * What the SDK costs a page's main thread. Prints tables for bench/RESULTS.md.
 *
 * `node sdk-wasm/e2e/bench/main-thread.mjs tasks` traces the tasks of a load, from the start until nothing more happens, on
 * a CPU slowed down four times; `… calls` measures the calls, as fast as the CPU is and slowed down. Each takes less than a
 * minute, on a machine that should do nothing else.
 */
import { slowDown, startBrowser } from '../rig/browser.mjs';
import { startServer } from '../rig/server.mjs';
import { openSite, policies } from '../rig/site.mjs';
import { openWire } from '../rig/wire.mjs';
import { traced } from './trace.mjs';

const RUNS = 5;
const SLOWER = 4;
const LOOP = 1000;

const ALONE = { path: '/measured', options: { engineUrl: false } };
const ENGINE = { path: '/measured', options: {} };

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const sum = (values) => values.reduce((all, one) => all + one, 0);
const ms = (value) => value.toFixed(1);

const benches = { tasks, calls };

/** The page without the SDK is what the others are held against: it costs time to be traced, too. */
async function tasks(stage) {
  console.log(`CPU slowed down ${SLOWER} times, medians of ${RUNS} loads.\n`);
  console.log('| page | longest task, CPU ms | longest with our code: CPU ms | wall ms | our part, CPU ms | of the worst load | all our parts | layout shift |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [name, setup] of Object.entries({ 'no SDK': { path: '/elsewhere' }, 'stub alone': ALONE, 'stub and engine': ENGINE })) {
    const loads = await loadAll(stage, setup, (page, url) => trace(page, url, setup, SLOWER));
    const each = (pick) => loads.map(pick);
    const longest = (which, time) => each((load) => Math.max(0, ...load[which].map((task) => task[time])));
    const parts = longest('ours', 'part');
    const all = each((load) => sum(load.ours.map(({ part }) => part)));
    const whole = ['cpu', 'wall'].map((time) => median(longest('ours', time)));
    const cells = [median(longest('all', 'cpu')), ...whole, median(parts), Math.max(...parts), median(all)];
    console.log(`| ${name} | ${cells.map(ms).join(' | ')} | ${Math.max(...each(({ shift }) => shift))} |`);
  }
}

async function trace(page, url, { options }, rate) {
  await slowDown(page, rate);
  const lengths = await traced(page, async () => {
    await page.goto(url, { waitUntil: 'commit' });
    await page.said(options ? 'at rest with a sender' : 'at rest');
  });
  return { ...lengths, shift: await page.evaluate(() => globalThis.shift) };
}

async function calls(stage) {
  const loads = await loadAll(stage, ENGINE, (page, url) => trace(page, url, ENGINE, 1));
  console.log(`init + first track: CPU ms ${loads.map(({ first }) => ms(first.cpu)).toSorted()}, median ${ms(median(loads.map(({ first }) => first.cpu)))}\n`);
  console.log(`Medians of ${RUNS} loads; \`track\` in a loop of ${LOOP}.\n`);
  console.log('| page | CPU | script ms | init + first track ms: least | median | worst | sender ready ms | track µs |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [name, setup] of Object.entries({ 'stub alone': ALONE, 'stub and engine': ENGINE })) {
    for (const rate of [1, SLOWER]) {
      const loads = await loadAll(stage, setup, (page, url) => call(page, url, rate));
      const each = (name) => loads.map((load) => load[name]);
      const inits = each('init');
      const cells = [median(each('script')), Math.min(...inits), median(inits), Math.max(...inits), median(each('ready'))];
      console.log(`| ${name} | ${rate === 1 ? 'as it is' : `÷ ${rate}`} | ${cells.map(ms).join(' | ')} | ${ms(median(each('track')))} |`);
    }
  }
}

async function call(page, url, rate) {
  await slowDown(page, rate);
  await page.goto(url, { waitUntil: 'commit' });
  await page.said('at rest with a sender');
  const track = await page.evaluate(loop, LOOP);
  return page.evaluate((track) => ({ ...globalThis.spent, ready: globalThis.ready, track }), track);
}

/** Loads a page so many times, each in a context of its own. */
async function loadAll({ browser, wire, key }, { path, options }, use) {
  const site = await openSite({ key, options: { apiHost: wire.url, ...options }, csp: policies.wasm(wire.url) });
  const results = [];
  for (let run = 0; run < RUNS; run++) {
    const context = await browser.fresh();
    const page = await context.newPage();
    const said = [];
    page.on('console', (message) => said.push(message.text()));
    page.said = (text) => (said.includes(text) ? undefined : page.waitForEvent('console', (message) => message.text() === text));
    await page.addInitScript(observe);
    results.push(await use(page, site.url + path));
    await context.close();
  }
  await site.leave();
  return results;
}

/**
 * Runs before the page, which tells by itself when it is at rest: a question from outside would be a task of its own. Adds
 * up layout shifts, too.
 */
function observe() {
  globalThis.shift = 0;
  const shifts = (list) => list.getEntries().forEach((entry) => (globalThis.shift += entry.value));
  new PerformanceObserver(shifts).observe({ type: 'layout-shift', buffered: true });
  // A second after the idle moment: what the SDK does a little later comes in between.
  const rest = (text) => requestIdleCallback(() => setTimeout(() => requestIdleCallback(() => console.log(text)), 1000));
  addEventListener('load', async () => {
    rest('at rest');
    let sender = 'loading';
    while (globalThis.trailmark && sender === 'loading') {
      const later = new Promise((resolve) => setTimeout(resolve, 50, { sender }));
      ({ sender } = await Promise.race([trailmark.stats(), later]));
      await later;
    }
    globalThis.ready = performance.now();
    rest('at rest with a sender');
  });
}

/** Runs in the page: µs of one `track` in a loop. */
function loop(count) {
  const started = performance.now();
  for (let n = 0; n < count; n++) trailmark.track('loop', { n, plan: 'pro', total: 12.5 });
  return ((performance.now() - started) * 1000) / count;
}

async function main(bench) {
  const [server, browser] = await Promise.all([startServer(), startBrowser()]);
  try {
    const wire = await openWire(server);
    await bench({ browser, wire, key: (await server.project('bench')).write });
    await wire.leave();
  } finally {
    await Promise.all([server.leave(), browser.leave()]);
  }
}

const bench = benches[process.argv[2]];
if (!bench) throw new Error(`say which: ${Object.keys(benches)}`);
await main(bench);
