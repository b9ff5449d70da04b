/** A visitor who leaves in the middle of things. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertStored, closeBooks } from './rig/books.mjs';
import { ENGINE_FILES, SENDERS, openScene, openStage, track, untilSends } from './rig/stage.mjs';
import { until } from './rig/wait.mjs';
import { cut, first, hang, pass } from './rig/wire.mjs';

const stage = openStage();

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: navigation right after track loses nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await trackAndGo(page, 3);
    await assertStored(scene, 'left', 3);
    await page.goto(`${scene.site.url}/shop`);
    await closeBooks(scene, 'left', 3);
  });

  test(`${sender}: navigation before anything is loaded loses nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit('/hasty');
    await page.waitForURL('**/elsewhere');
    await assertStored(scene, 'left', 3);
    await page.goto(`${scene.site.url}/shop`);
    await closeBooks(scene, 'left', 3);
  });

  test(`${sender}: a tab that is closed right after track loses nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await track(page, 'closed', 20);
    await page.close({ runBeforeUnload: true });
    await assertStored(scene, 'closed', 20);
    await scene.visit();
    await closeBooks(scene, 'closed', 20);
  });

  for (const [how, behaviour] of Object.entries({ 'not answered': hang, 'received, but not answered': cut })) {
    test(`${sender}: a reload while a batch is ${how} sends it again`, async (t) => {
      const scene = await openScene(t, stage, { sender });
      const page = await scene.visit();
      await untilSends(page, sender);
      scene.wire.behaviour = first(1, behaviour);
      await track(page, 'reloaded', 50);
      await page.evaluate(() => void trailmark.flush());
      await until('a batch on the wire', () => scene.wire.events('reloaded').length > 0);
      await page.reload();
      await closeBooks(scene, 'reloaded', 50);
    });
  }

  test(`${sender}: a page that comes back from the back/forward cache goes on`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await page.evaluate(() => addEventListener('pageshow', (event) => (globalThis.persisted = event.persisted)));
    await trackAndGo(page, 3);
    await page.evaluate(() => history.back());
    await until('the page from the cache', () => page.evaluate(() => globalThis.persisted === true));
    await track(page, 'left', 3, 3);
    await untilSends(page, sender);
    await closeBooks(scene, 'left', 6);
  });
}

test('the stub alone: navigation right after track loses nothing', async (t) => {
  const scene = await openScene(t, stage, { withhold: ENGINE_FILES });
  const page = await scene.visit();
  await trackAndGo(page, 3);
  await assertStored(scene, 'left', 3);
});

test('what the stub has sent because the engine did not come is not lost from the books', async (t) => {
  const scene = await openScene(t, stage);
  const withheld = [];
  await scene.context.route(ENGINE_FILES, (route) => withheld.push(route));
  const page = await scene.visit();
  await track(page, 'early', 3);
  await until('the engine to be asked for', () => withheld.length > 0);
  scene.wire.behaviour = cut;
  await withheld[0].abort();
  await assertStored(scene, 'early', 3);
  scene.wire.behaviour = pass;
  await scene.context.unroute(ENGINE_FILES);
  await page.goto(`${scene.site.url}/shop`);
  await untilSends(page, 'engine');
  await closeBooks(scene, 'early', 3);
});

test('what the stub has sent before the engine came is not lost from the books', async (t) => {
  const scene = await openScene(t, stage, { withhold: ENGINE_FILES });
  const page = await scene.visit();
  scene.wire.behaviour = cut;
  await trackAndGo(page, 3);
  await assertStored(scene, 'left', 3);
  scene.wire.behaviour = pass;
  scene.site.withhold = undefined;
  await page.goto(`${scene.site.url}/shop`);
  await untilSends(page, 'engine');
  await track(page, 'left', 3, 3);
  await closeBooks(scene, 'left', 6);
});

/** Captures and leaves in one task. */
async function trackAndGo(page, count) {
  await page.evaluate((count) => {
    for (let n = 0; n < count; n++) trailmark.track('left', { n });
    location.href = '/elsewhere';
  }, count);
  await page.waitForURL('**/elsewhere');
  assert.equal(await page.title(), 'Elsewhere');
}
