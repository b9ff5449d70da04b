/** Events belong to whom they happened to, however late they are sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, untilSends } from './rig/stage.mjs';

const stage = openStage();

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: reset and a login as somebody else move no event that is queued`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const page = await scene.visit();
    await untilSends(page, sender);
    await scene.wire.part();
    await page.evaluate(twoVisitors);
    await scene.wire.join();
    const rows = await closeBooks(scene, 'step', 8);
    const by = (n) => rows.find((row) => row.properties.n === n);
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => by(n).user_id), [null, null, 'ann', 'ann', null, null, 'bob', 'bob']);
    assert.deepEqual(new Set([0, 1, 2, 3].map((n) => by(n).anonymous_id)).size, 1);
    assert.deepEqual(new Set([4, 5, 6, 7].map((n) => by(n).anonymous_id)).size, 1);
    assert.notEqual(by(0).anonymous_id, by(4).anonymous_id);
    assert.notEqual(by(0).session_id, by(4).session_id);
    const [ann, bob] = [await scene.project.person('ann'), await scene.project.person('bob')];
    assert.notEqual(ann.person_id, bob.person_id);
    // Each has what happened on their own anonymous_id, and nothing else.
    const all = await scene.project.rows();
    const of = (n) => all.filter((row) => row.anonymous_id === by(n).anonymous_id).length;
    assert.deepEqual([ann.events, bob.events], [of(0), of(4)]);
    assert.equal(ann.events + bob.events, all.length);
  });

  test(`${sender}: a logout in one tab is a logout in all`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const [here, there] = [await scene.visit(), await scene.visit()];
    // A browser tells its tabs of what one of them stored, a moment later.
    const seen = (userId) => there.waitForFunction((userId) => trailmark.userId() == userId, userId);
    await here.evaluate(() => trailmark.identify('ann'));
    await seen('ann');
    await there.evaluate(() => trailmark.track('step', { n: 0 }));
    await here.evaluate(() => trailmark.reset());
    await seen(null);
    await there.evaluate(() => trailmark.track('step', { n: 1 }));
    const rows = await closeBooks(scene, 'step', 2);
    const who = (n) => rows.find((row) => row.properties.n === n).user_id;
    assert.deepEqual([who(0), who(1)], ['ann', null]);
  });
}

/** Runs in the page: two steps as nobody, two as Ann, a logout, two as nobody, two as Bob. */
function twoVisitors() {
  let n = 0;
  const steps = () => [0, 1].forEach(() => trailmark.track('step', { n: n++ }));
  steps();
  trailmark.identify('ann');
  steps();
  trailmark.reset();
  steps();
  trailmark.identify('bob');
  steps();
}
