/** Storage that is full. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { limitStorage } from './rig/browser.mjs';
import { assertStored, closeBooks } from './rig/books.mjs';
import { ENGINE_FILES, SENDERS, openScene, openStage, stats, track, untilSends } from './rig/stage.mjs';
import { until } from './rig/wait.mjs';

const stage = openStage();

const EVENTS = 200;

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: a localStorage that the page has filled costs nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await page.evaluate(fillLocalStorage);
    await track(page, 'full', EVENTS);
    await closeBooks(scene, 'full', EVENTS);
    assert.equal(await page.evaluate(() => localStorage.getItem('page-0').length > 0), true);
  });

  test(`${sender}: a localStorage that is full from the beginning costs nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit('/elsewhere');
    await page.evaluate(fillLocalStorage);
    await page.goto(`${scene.site.url}/shop`);
    await track(page, 'full', EVENTS);
    await closeBooks(scene, 'full', EVENTS);
  });

  test(`${sender}: in an outage with all storage full, what cannot be kept is counted`, async (t) => {
    const scene = await openScene(t, stage, { sender, options: { maxQueueEvents: 100 } });
    const page = await visitWithoutRoom(scene);
    await untilSends(page, sender);
    await page.evaluate(fillLocalStorage);
    await scene.wire.part();
    await track(page, 'full', EVENTS);
    await scene.wire.join();
    const { stored, dropped, captured } = await scene.project.settled(EVENTS);
    assert.equal(stored + sum(dropped), captured);
    t.diagnostic(`${stored} stored, ${JSON.stringify(dropped)}`);
  });
}

test('engine: an IndexedDB without room costs nothing', async (t) => {
  const scene = await openScene(t, stage, {});
  const page = await visitWithoutRoom(scene);
  await untilSends(page, 'engine');
  await scene.wire.part();
  await track(page, 'full', EVENTS);
  await until('storage that fails', async () => (await stats(page)).storage === 'failing');
  await scene.wire.join();
  await closeBooks(scene, 'full', EVENTS);
});

test('the stub alone: a localStorage that fills up costs nothing', async (t) => {
  const scene = await openScene(t, stage, { withhold: ENGINE_FILES });
  const page = await scene.visit();
  await track(page, 'full', 20);
  await page.evaluate(fillLocalStorage);
  await track(page, 'full', 20, 20);
  await page.goto(`${scene.site.url}/elsewhere`);
  await assertStored(scene, 'full', 40);
});

/** Opens a page whose origin has next to no room in IndexedDB. Chromium looks 30 s apart, so it is told beforehand. */
async function visitWithoutRoom(scene) {
  const page = await scene.visit('/elsewhere');
  await limitStorage(page, 1000);
  await page.goto(`${scene.site.url}/shop`);
  return page;
}

const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);

/** Runs in the page: fills localStorage to the last character. */
function fillLocalStorage() {
  let size = 1 << 20;
  for (let n = 0; size > 0; ) {
    try {
      localStorage.setItem(`page-${n}`, 'x'.repeat(size));
      n++;
    } catch {
      size >>= 1;
    }
  }
}
