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
const LIMITS = 'the stub looks at the size of what is registered, not at its keys, and at nothing of the context';
const SETTING = 'the stub alone has no such setting';
const QUEUE = 'the stub alone has bounds of its own for what waits';

/** Files that a page with the engine cannot run, and why. */
const SKIPPED = {
  app_lifecycle: APP,
  app_of_old_install: APP,
  batch_by_bytes: 'max_batch_bytes is no setting on the web: a request is as large as the core has it by default',
  context: LIMITS,
  numbers: NEEDS,
  register_refused: LIMITS,
  repair: NEEDS,
};

/** Files that the stub alone cannot run, and why. */
const SKIPPED_ALONE = {
  app_lifecycle: APP,
  app_of_old_install: APP,
  capture_refused: 'a call of servers, whose refusals are the whole file',
  close: 'the engine file closes',
  context: LIMITS,
  counters: QUEUE,
  delete_my_data: 'the engine file asks the server to erase',
  expiry: QUEUE,
  numbers: NEEDS,
  queue_full: QUEUE,
  queue_full_by_bytes: QUEUE,
  register_refused: LIMITS,
  rejected: SETTING,
  repair: NEEDS,
  too_large_413: SETTING,
  truncation: 'the engine cuts long strings, and the server',
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
  test(`${name}: the stub alone`, check(name, SKIPPED_ALONE, ([text]) => globalThis.vectors.alone(text)));
}

test('what is skipped is there, and most files are not', () => {
  const skipped = [...Object.keys(SKIPPED), ...Object.keys(SKIPPED_ALONE)];
  assert.deepEqual(skipped.filter((name) => !files.includes(name)), []);
  assert.equal(files.length - Object.keys(SKIPPED).length, 54);
  assert.equal(files.length - Object.keys(SKIPPED_ALONE).length, 45);
});

/** Pages of the property test, of 40 calls each. */
const PAGES = 100;

test('what the engine adopts has the bytes that the stub alone would have sent', async () => {
  const seed = Number(process.env.SEED ?? 1);
  const { events, difference } = await page.evaluate(([pages, seed]) => globalThis.vectors.adopted(pages, seed), [PAGES, seed]);
  assert.ok(difference === undefined, difference);
  assert.ok(events > PAGES * 25, `${events} events were compared`);
});
