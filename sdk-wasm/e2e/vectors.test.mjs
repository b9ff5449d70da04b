/**
 * The conformance vectors (`sdk-core/tests/vectors`) on the web, in a real browser: with the engine, whose every outcome is
 * compared, and by the stub alone, whose requests are.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from './vectors/browser.mjs';

const VECTORS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../sdk-core/tests/vectors');
const files = readdirSync(VECTORS).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5)).sort();
const text = (name) => readFileSync(path.join(VECTORS, `${name}.json`), 'utf8');

let page;
let close;
before(async () => ({ page, close } = await open()));
after(() => close());

const NEEDS = 'JavaScript cannot hand it in as it is written (`needs`)';
const APP = 'app_opened and app_backgrounded are calls of apps, a page has its views';
const SETTING = 'the stub alone has no such setting';
const COMPANY = 'the stub alone sends what waits at once after an answer, the engine waits for company';
const QUEUE = 'the stub alone has bounds of its own for what waits';

/** Files that a page with the engine cannot run, and why. */
const SKIPPED = {
  app_lifecycle: APP,
  app_of_old_install: APP,
  capture_refused: 'a call of servers, which may write a time without milliseconds; a page never does',
  numbers: NEEDS,
  repair: NEEDS,
};

/** Files that the stub alone cannot run, and why. */
const SKIPPED_ALONE = {
  app_lifecycle: APP,
  app_of_old_install: APP,
  capture_refused: 'a call of servers, whose refusals are the whole file',
  close: 'the engine file closes',
  counters: QUEUE,
  delete_my_data: 'the engine file asks the server to erase',
  expiry: QUEUE,
  numbers: NEEDS,
  queue_full: QUEUE,
  queue_full_by_bytes: QUEUE,
  rejected: SETTING,
  repair: NEEDS,
  truncation: 'the engine cuts long strings, and the server',
};

/** Files whose events are compared when the stub is alone, but not whole requests, and why. */
const ONLY_EVENTS = {
  ...SKIPPED_ALONE,
  batch_by_bytes: SETTING,
  batch_by_count: COMPANY,
  batch_of_many: SETTING,
  capture: 'the events of another page are taken in the order of their ids',
  hurry_and_flush: SETTING,
  too_large_413: COMPANY,
};

/** Files in which ids are compared by which is which alone, and why. */
const RENAMED = {
  close: 'the stub draws ids for events that a closed engine refuses, the core does not',
  delete_my_data: 'the stub and the engine both draw the id of the next person',
};

/** Runs a file in the page. A file that is skipped must have its reason: one that passes after all is one to be run. */
function check(name, skipped, run) {
  return async () => {
    const { steps, compared, difference } = await page.evaluate(run, [text(name), name in RENAMED ? 'none' : 'exact']);
    if (name in skipped) return assert.ok(difference !== undefined, `${name} passes: take it off the list`);
    assert.ok(difference === undefined, difference);
    assert.ok(compared > 0, `nothing was compared in ${steps} steps`);
  };
}

for (const name of files) {
  test(`${name}: with the engine`, check(name, SKIPPED, ([text, ids]) => globalThis.vectors.engine(text, ids)));
  test(`${name}: the stub alone, its events`, check(name, SKIPPED_ALONE, ([text]) => globalThis.vectors.alone(text, false)));
  test(`${name}: the stub alone, its requests`, check(name, ONLY_EVENTS, ([text]) => globalThis.vectors.alone(text, true)));
}

test('what is skipped is there, and most files are not', () => {
  const skipped = [...Object.keys(SKIPPED), ...Object.keys(SKIPPED_ALONE)];
  assert.deepEqual(skipped.filter((name) => !files.includes(name)), []);
  const run = (list) => files.length - Object.keys(list).length;
  assert.deepEqual([SKIPPED, SKIPPED_ALONE, ONLY_EVENTS].map(run), [56, 48, 42]);
});

/** Pages of the property test, of 40 calls each. */
const PAGES = 100;

test('what the engine adopts has the bytes that the stub alone would have sent', async () => {
  const seed = Number(process.env.SEED ?? 1);
  const { events, difference } = await page.evaluate(([pages, seed]) => globalThis.vectors.adopted(pages, seed), [PAGES, seed]);
  assert.ok(difference === undefined, difference);
  assert.ok(events > PAGES * 25, `${events} events were compared`);
});
