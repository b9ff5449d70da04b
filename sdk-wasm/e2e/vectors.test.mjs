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

/** Files in which ids are compared by which is which alone, and why. */
const RENAMED = {
  close: 'the stub draws ids for events that a closed engine refuses, the core does not',
  delete_my_data: 'the stub and the engine both draw the id of the next person',
};

for (const name of files) {
  test(`${name}: a page with the engine`, async () => {
    const ids = name in RENAMED ? 'none' : 'exact';
    const result = await page.evaluate(([text, ids]) => globalThis.vectors.engine(text, ids), [text(name), ids]);
    assert.ok(result.difference === undefined, result.difference);
  });
  test(`${name}: the stub alone`, async () => {
    const result = await page.evaluate((text) => globalThis.vectors.alone(text), text(name));
    assert.ok(result.difference === undefined, result.difference);
  });
}

/** Pages of the property test, of 40 calls each. */
const PAGES = 100;

test('what the engine adopts has the bytes that the stub alone would have sent', async () => {
  const seed = Number(process.env.SEED ?? 1);
  const { events, difference } = await page.evaluate(([pages, seed]) => globalThis.vectors.adopted(pages, seed), [PAGES, seed]);
  assert.ok(difference === undefined, difference);
  assert.ok(events > PAGES * 25, `${events} events were compared`);
});
