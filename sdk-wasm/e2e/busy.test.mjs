/** A page that captures 10,000 events in a loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, untilSends } from './rig/stage.mjs';

const stage = openStage();

const EVENTS = 10_000;

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: of ${EVENTS} events in a loop none is lost in silence, and the page still answers`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await page.evaluate(watch);
    const loop = await page.evaluate(captureAll, EVENTS);
    const { stored, dropped, captured } = await scene.project.settled(EVENTS);
    // The plain sender keeps what waits in localStorage, of which it leaves the page the most.
    if (sender === 'engine') await closeBooks(scene, 'busy', EVENTS);
    else assert.equal(stored + dropped.queue_full, captured);
    const gap = await page.evaluate(() => globalThis.longestGap);
    t.diagnostic(`${sender}: the loop ${Math.round(loop)} ms, the longest time without a frame ${Math.round(gap)} ms, ${stored} stored`);
    assert.ok(gap < 10_000, `no frame for ${gap} ms`);
  });
}

test(`${EVENTS} events in a loop before the engine is there are delivered by it`, async (t) => {
  const scene = await openScene(t, stage, {});
  const page = await scene.visit('/flood');
  await page.evaluate(watch);
  await closeBooks(scene, 'busy', EVENTS);
  t.diagnostic(`the longest time without a frame ${Math.round(await page.evaluate(() => globalThis.longestGap))} ms`);
});

/** Runs in the page: measures the longest time between two frames. */
function watch() {
  let last = performance.now();
  globalThis.longestGap = 0;
  requestAnimationFrame(function frame(now) {
    globalThis.longestGap = Math.max(globalThis.longestGap, now - last);
    last = now;
    requestAnimationFrame(frame);
  });
}

/** Runs in the page: captures, and returns how long that took, ms. */
function captureAll(count) {
  const started = performance.now();
  for (let n = 0; n < count; n++) trailmark.track('busy', { n });
  return performance.now() - started;
}
