/**
 * Where a page's events are safe, and what a write costs the page: localStorage with a key for each record, against
 * IndexedDB. Prints two tables in Markdown.
 *
 *     node sdk-wasm/e2e/bench/storage.mjs [cost] [survival] [runs]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { start } from './browser.mjs';

const STORES = ['localStorage', 'IndexedDB relaxed', 'IndexedDB strict', 'IndexedDB relaxed, one chunk'];
const SIZES = [1, 100, 1_000, 10_000];
const KILLED_AFTER_MS = [0, 10, 50, 100, 500, 2_000, 6_000];
/** Records of a survival run: what a busy page makes in a minute. */
const RECORDS = 100;
const [what = 'cost survival', runs = '5'] = [process.argv.slice(2).filter((a) => !/^\d/.test(a)).join(' ') || undefined, process.argv.find((a) => /^\d+$/.test(a))];

/** What a page knows of stores. Everything of `write` but `done` happens before it returns. */
function inPage() {
  const record = 'x'.repeat(500);
  const durability = (store) => ({ durability: store.includes('strict') ? 'strict' : 'relaxed' });
  const ask = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  globalThis.open = async (store) => {
    const opening = indexedDB.open(store, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('r');
    globalThis.db = await ask(opening);
  };
  let next = 0;
  globalThis.write = (store, count) => {
    if (store === 'localStorage') {
      for (let n = 0; n < count; n++) localStorage.setItem(`r.${next++}`, record);
      return { done: Promise.resolve() };
    }
    const transaction = db.transaction('r', 'readwrite', durability(store));
    const records = transaction.objectStore('r');
    if (store.includes('chunk')) {
      const text = new TextEncoder().encode(record);
      const chunk = new Uint8Array(500 * count);
      for (let n = 0; n < count; n++) chunk.set(text, n * 500);
      records.put({ count, chunk }, next++);
    } else for (let n = 0; n < count; n++) records.put(record, next++);
    transaction.commit();
    return { done: new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = () => reject(transaction.error); }) };
  };
  globalThis.count = async (store) => {
    if (store === 'localStorage') return Object.keys(localStorage).length;
    await open(store);
    const all = await ask(db.transaction('r').objectStore('r').getAll());
    return all.reduce((sum, found) => sum + (found.count ?? 1), 0);
  };
  /** Tells the script without letting any other task run. */
  globalThis.tell = () => { const request = new XMLHttpRequest(); request.open('POST', '/told', false); request.send(); };
}

let told = () => {};
const server = createServer((request, response) => {
  if (request.url === '/told') told();
  response.setHeader('content-type', 'text/html');
  response.end(`<!doctype html><title>storage</title><script>(${inPage})()</script>`);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}/`;

async function withProfile(use) {
  const profile = mkdtempSync(join(tmpdir(), 'trailmark-storage-'));
  try {
    return await use(profile);
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function opened(profile, store) {
  const chromium = await start(profile);
  const page = await chromium.page();
  await page.goto(origin);
  if (store !== 'localStorage') await page.evaluate((name) => open(name), store);
  return { chromium, page };
}

/** Milliseconds of the page's thread in the writing task, of that thread until all is over, and until all is over. */
async function cost(store, size) {
  return withProfile(async (profile) => {
    const { chromium, page } = await opened(profile, store);
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async () => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000;
    await page.evaluate((name) => write(name, 1).done, store);
    const before = await busy();
    const [task, over] = await page.evaluate(async ([name, count]) => {
      const began = performance.now();
      try {
        const { done } = write(name, count);
        const task = performance.now() - began;
        await done;
        return [task, performance.now() - began];
      } catch (error) {
        return [String(error.name ?? error), NaN];
      }
    }, [store, size]);
    const thread = (await busy()) - before;
    await chromium.close();
    return { task, thread, over };
  });
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const ms = (number) => (Number.isFinite(number) ? number.toFixed(number < 10 ? 2 : 0) : '–');

async function costs() {
  console.log(`\nCost to the page's thread, ms, median of ${runs} (in the writing task / with all callbacks / until committed):\n`);
  console.log(`| records of 500 bytes | ${STORES.join(' | ')} |`);
  console.log(`| ---: |${' ---: |'.repeat(STORES.length)}`);
  for (const size of SIZES) {
    const cells = [];
    for (const store of STORES) {
      const all = [];
      for (let run = 0; run < runs; run++) all.push(await cost(store, size));
      const refused = all.find(({ task }) => typeof task === 'string');
      const of = (key) => ms(median(all.map((one) => one[key])));
      cells.push(refused ? refused.task : `${of('task')} / ${of('thread')} / ${of('over')}`);
    }
    console.log(`| ${size} | ${cells.join(' | ')} |`);
  }
}

/** Ways for a page to end. `began` resolves while the page's thread still stands in the writing task. */
const ENDS = {
  'renderer killed in the writing task': { async end(chromium, page, began) { const pids = await chromium.renderers(); await began(); pids.forEach((pid) => process.kill(pid, 'SIGKILL')); } },
  'navigation in the writing task': { then: 'location.href = "/elsewhere"', async end(chromium, page, began) { await began(); await page.waitForURL('**/elsewhere'); } },
  'page closed at once': { async end(chromium, page, began) { await began(); await page.close(); } },
};
for (const after of KILLED_AFTER_MS) {
  ENDS[`browser killed ${after} ms later`] = { kills: true, async end(chromium, page, began) { await began(); await sleep(after); await chromium.kill(); } };
}
ENDS['browser killed at the end of 30 s with a record every 100 ms (of 300)'] = {
  kills: true,
  steady: true,
  async end(chromium, page, began) { await began(); await chromium.kill(); },
};

/** How many records are there at the next start. */
async function survivors(store, { end, then = '', kills, steady }) {
  return withProfile(async (profile) => {
    const { chromium, page } = await opened(profile, store);
    if (steady) {
      await page.evaluate((name) => new Promise((resolve) => {
        let left = 299;
        const timer = setInterval(() => { write(name, 1); if (--left === 0) { clearInterval(timer); resolve(); } }, 100);
      }), store);
    }
    const began = () => new Promise((resolve) => {
      told = resolve;
      page.evaluate(`setTimeout(() => { write(${JSON.stringify(store)}, ${steady ? 1 : RECORDS}); tell(); ${then} })`).catch(() => {});
    });
    await end(chromium, page, began);
    if (!kills) await sleep(200).then(() => chromium.close());
    const again = await start(profile);
    const fresh = await again.page();
    await fresh.goto(origin);
    const found = await fresh.evaluate((name) => count(name), store);
    await again.close();
    return found;
  });
}

async function survival() {
  console.log(`\nRecords there at the next start, of ${RECORDS} written in one task, ${runs} runs (fewest … most):\n`);
  console.log(`| what happens | ${STORES.slice(0, 3).join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(3)}`);
  for (const [name, way] of Object.entries(ENDS)) {
    const cells = [];
    for (const store of STORES.slice(0, 3)) {
      const found = [];
      for (let run = 0; run < (way.steady ? Math.min(2, runs) : runs); run++) found.push(await survivors(store, way));
      found.sort((a, b) => a - b);
      cells.push(found[0] === found.at(-1) ? `${found[0]}` : `${found[0]} … ${found.at(-1)}`);
    }
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

if (what.includes('cost')) await costs();
if (what.includes('survival')) await survival();
server.close();
