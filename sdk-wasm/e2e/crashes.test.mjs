/** A browser that is killed, profile and all processes, while the server cannot be reached. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertStored, closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, track, untilSends, visit } from './rig/stage.mjs';
import { until } from './rig/wait.mjs';

const stage = openStage();

const EVENTS = 50;

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: a browser that is killed during an outage sends everything when it is opened again`, async (t) => {
    const scene = await openScene(t, stage, { sender, own: true });
    const page = await scene.visit();
    await untilSends(page, sender);
    await scene.wire.part();
    await trackMarked(page, sender, EVENTS);
    // Numbered now, not between two writes to the disk: a browser that is killed there comes back with the number that was
    // given last and with records that have none, which get others.
    if (sender === 'plain') assert.equal((await page.evaluate(() => trailmark.flush())).pending, EVENTS);
    t.diagnostic(`${sender}: on disk after ${await untilKept(sender)} ms`);
    await reopen(scene, sender);
    await closeBooks(scene, 'kept', EVENTS);
  });

  test(`${sender}: what a browser that is killed has already sent is not stored again`, async (t) => {
    const scene = await openScene(t, stage, { sender, own: true });
    const page = await scene.visit();
    await untilSends(page, sender);
    await track(page, 'kept', EVENTS);
    await scene.project.stored('kept', EVENTS);
    await stage.browser.kill();
    await stage.browser.open();
    const again = await visit(stage.browser.context, scene.site);
    await untilSends(again, sender);
    await track(again, 'kept', 1, EVENTS);
    // The engine remembers what it has numbered. The plain sender has only localStorage, of which a killed browser brings
    // back what was there seconds ago: it numbers the same events again, and the account says that these are lost.
    await (sender === 'engine' ? closeBooks : assertStored)(scene, 'kept', EVENTS + 1);
  });
}

test('a browser that is killed while the engine loads sends everything when it is opened again', async (t) => {
  const scene = await openScene(t, stage, { own: true, withhold: /engine/ });
  const page = await scene.visit();
  await scene.wire.part();
  await trackMarked(page, 'loading', EVENTS);
  await untilKept('loading');
  scene.site.withhold = undefined;
  await reopen(scene, 'engine');
  await closeBooks(scene, 'kept', EVENTS);
});

/** Events with a text each that can be found on the disk. */
function trackMarked(page, mark, count) {
  return page.evaluate(
    ([mark, count]) => {
      for (let n = 0; n < count; n++) trailmark.track('kept', { n, mark: `mark-${mark}-${n}-` });
    },
    [mark, count],
  );
}

/** Waits until the profile holds them all; how long that took, ms. Chromium itself takes seconds for localStorage. */
async function untilKept(mark) {
  const started = Date.now();
  const marks = Array.from({ length: EVENTS }, (_, n) => `mark-${mark}-${n}-`);
  await until('the events on the disk', () => stage.browser.keeps(marks));
  return Date.now() - started;
}

async function reopen(scene, sender) {
  await stage.browser.kill();
  assert.equal(await scene.project.count('kept'), 0);
  await scene.wire.join();
  await stage.browser.open();
  await untilSends(await visit(stage.browser.context, scene.site), sender);
}
