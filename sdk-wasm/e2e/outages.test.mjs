/** A server or a network that is away, and what a page does meanwhile. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, stats, track, untilAllSent, untilSends } from './rig/stage.mjs';
import { lasting, until } from './rig/wait.mjs';
import { attempts, cut, first, storm } from './rig/wire.mjs';

const stage = openStage();

/** The outage after which one well-known SDK gives up for good (issue 5), in seconds. */
const OUTAGE_S = 14;

/** Longer than the longest wait of a client that failed for an hour: 5 minutes, by its fake clock. */
const HOUR_MS = 3_600_000;

test(`a server that is killed and comes back after ${OUTAGE_S} s gets everything once`, async (t) => {
  const pages = [];
  for (const sender of Object.keys(SENDERS)) {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    pages.push({ scene, page });
  }
  await stage.server.kill();
  for (let second = 0; second < OUTAGE_S; second++) {
    await Promise.all(pages.map(({ page }) => track(page, 'outage', 10, second * 10)));
    await lasting(1000);
  }
  await stage.server.start();
  await Promise.all(pages.map(({ scene }) => closeBooks(scene, 'outage', OUTAGE_S * 10)));
});

/** These mostly wait, so that they need not wait one after the other. */
describe('each with a wire of its own', { concurrency: 2 }, () => {
  for (const sender of Object.keys(SENDERS)) {
    test(`${sender}: a storm of 503s is waited out as long as Retry-After says`, async (t) => {
      const scene = await openScene(t, stage, { sender });
      const page = await scene.visit();
      await untilSends(page, sender);
      const before = scene.wire.batches.length;
      scene.wire.behaviour = first(3, storm(2));
      await track(page, 'storm', 100);
      await until('a refused batch', () => scene.wire.batches.length > before);
      await track(page, 'storm', 100, 100);
      await closeBooks(scene, 'storm', 200);
      await untilAllSent(page);
      const times = scene.wire.batches.slice(before, before + 4).map((batch) => batch.at);
      const waits = times.slice(1).map((at, place) => at - times[place]);
      assert.ok(Math.min(...waits) >= 1900, `waits of ${waits} ms after "Retry-After: 2"`);
    });

    test(`${sender}: events whose receipts are cut off are sent again and stored once`, async (t) => {
      const scene = await openScene(t, stage, { sender });
      const page = await scene.visit();
      await untilSends(page, sender);
      scene.wire.behaviour = attempts(2, cut);
      await track(page, 'cut', 100);
      await closeBooks(scene, 'cut', 100);
      await untilAllSent(page);
      assert.ok(scene.wire.events('cut').length >= 300, `${scene.wire.events('cut').length} events were sent, of which two thirds were cut`);
    });

    test(`${sender}: a browser that is offline for an hour keeps everything with its time`, async (t) => {
      const scene = await openScene(t, stage, { sender });
      const page = await scene.context.newPage();
      await page.clock.install();
      page.complaints = [];
      await page.goto(`${scene.site.url}/shop`);
      await untilSends(page, sender);
      await scene.context.setOffline(true);
      const began = Date.now();
      for (let quarter = 0; quarter < 4; quarter++) {
        await track(page, 'offline', 25, quarter * 25);
        await page.clock.fastForward(HOUR_MS / 4);
      }
      const took = Date.now() - began;
      const { queued, attempts } = await stats(page);
      assert.ok(queued >= 100, `${queued} queued`);
      assert.ok(attempts < 100, `${attempts} attempts within an hour`);
      await scene.context.setOffline(false);
      const rows = await closeBooks(scene, 'offline', 100);
      const times = rows.map((row) => Date.parse(row.client_timestamp));
      // The fake clock goes on while it is not moved.
      const [least, span] = [(HOUR_MS * 3) / 4, Math.max(...times) - Math.min(...times)];
      assert.ok(span >= least && span <= least + took, `the times of the events span ${span} ms`);
    });
  }
});
