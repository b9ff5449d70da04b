/** Storage that is refused: by the browser's settings, and in a sandboxed page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NO_STORAGE } from './rig/browser.mjs';
import { closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, stats, track, untilSends } from './rig/stage.mjs';
import { policies } from './rig/site.mjs';

const stage = openStage({ preferences: NO_STORAGE });

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: a browser that stores nothing for sites delivers from memory`, async (t) => {
    const scene = await openScene(t, stage, { sender, own: true });
    const page = await scene.visit();
    assert.equal(await page.evaluate(refuses), true, 'this profile stores after all');
    await untilSends(page, sender);
    assert.equal((await stats(page)).storage, 'memory');
    await track(page, 'refused', 100);
    await closeBooks(scene, 'refused', 100);
    assert.deepEqual(page.complaints, []);
  });
}

test('a sandboxed page, where every access to storage and locks throws, delivers from memory', async (t) => {
  const scene = await openScene(t, stage, { policy: policies.sandbox });
  const page = await scene.visit();
  assert.equal(await page.evaluate(() => origin), 'null');
  await track(page, 'refused', 100);
  await closeBooks(scene, 'refused', 100);
  assert.deepEqual(page.complaints, []);
});

/** Runs in the page: whether storage is refused. */
function refuses() {
  try {
    return !localStorage;
  } catch {
    return true;
  }
}
