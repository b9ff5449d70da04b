/** A page that captures 10,000 events in a loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertNumberedOnce, closeBooks } from './rig/books.mjs';
import { openScene, openStage, untilAllSent, untilSends } from './rig/stage.mjs';
import { PATIENCE } from './rig/wait.mjs';

const stage = openStage();

const EVENTS = 10_000;

/** A hundred requests one after the other, ms. */
const LONG = 2 * PATIENCE;

test(`engine: ${EVENTS} events in a loop are delivered, and the page still answers`, async (t) => {
  const { scene, page } = await loop(t, 'engine');
  await closeBooks(scene, 'busy', EVENTS, LONG);
  await assertResponsive(t, page);
});

test(`engine: ${EVENTS} events in a loop before it is there are delivered`, async (t) => {
  const scene = await openScene(t, stage, {});
  const page = await scene.visit('/flood');
  await page.evaluate(watch);
  await closeBooks(scene, 'busy', EVENTS, LONG);
  await assertResponsive(t, page);
});

test(`plain: ${EVENTS} events in a loop are delivered, or counted where localStorage has no room for them`, async (t) => {
  const { scene, page } = await loop(t, 'plain');
  const { dropped } = await untilAllSent(page, LONG);
  await scene.project.stored('busy', EVENTS - dropped.queue_full, LONG);
  assertNumberedOnce(await scene.project.rows());
  await scene.project.settled(EVENTS);
  await assertResponsive(t, page);
});

/** A page in which that is done. */
async function loop(t, sender) {
  const scene = await openScene(t, stage, { sender });
  const page = await scene.visit();
  await untilSends(page, sender);
  await page.evaluate(watch);
  t.diagnostic(`${sender}: the loop ${Math.round(await page.evaluate(captureAll, EVENTS))} ms`);
  return { scene, page };
}

/** A generous bound, on a machine that does more than this: how long really is for the benchmarks to say. */
async function assertResponsive(t, page) {
  const gap = await page.evaluate(() => globalThis.longestGap);
  t.diagnostic(`the longest time without a frame ${Math.round(gap)} ms`);
  assert.ok(gap < 10_000, `no frame for ${gap} ms`);
}

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
