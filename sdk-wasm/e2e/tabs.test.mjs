/** Several tabs of one site: one queue, one sender. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { SENDERS, openScene, openStage, stats, track, untilAllSent } from './rig/stage.mjs';
import { until } from './rig/wait.mjs';

const stage = openStage();

const TABS = 5;
const EACH = 100;

for (const sender of Object.keys(SENDERS)) {
  test(`${sender}: ${TABS} tabs that capture at once are sent by one of them, once`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const pages = await openTabs(scene);
    await untilOneSends(pages, sender);
    await Promise.all(pages.map((page, tab) => track(page, 'tabs', EACH, tab * EACH)));
    await closeBooks(scene, 'tabs', TABS * EACH);
    await Promise.all(pages.map(untilAllSent));
    assert.equal(scene.wire.events('tabs').length, TABS * EACH, 'events were sent twice');
    assert.equal(new Set((await scene.project.rows()).map((row) => row.install_id)).size, 1);
  });

  test(`${sender}: when the tab that sends is closed, another one takes over`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const pages = await openTabs(scene);
    let [sending, others] = await untilOneSends(pages, sender);
    await track(sending, 'handed', EACH);
    await Promise.all([sending.close({ runBeforeUnload: true }), track(others[0], 'handed', EACH, EACH)]);
    [sending, others] = await untilOneSends(others, sender);
    await track(others[0], 'handed', EACH, 2 * EACH);
    await closeBooks(scene, 'handed', 3 * EACH);
  });

  test(`${sender}: tabs that open and capture before anything is loaded lose nothing`, async (t) => {
    const scene = await openScene(t, stage, { sender });
    const pages = await Promise.all(Array.from({ length: TABS }, () => scene.context.newPage()));
    await Promise.all(pages.map(async (page, tab) => {
      await page.goto(`${scene.site.url}/shop`, { waitUntil: 'commit' });
      await page.waitForFunction(() => globalThis.trailmark?.stats);
      await track(page, 'early', EACH, tab * EACH);
    }));
    await closeBooks(scene, 'early', TABS * EACH);
  });
}

async function openTabs(scene) {
  return Promise.all(Array.from({ length: TABS }, () => scene.visit()));
}

/** Waits until exactly one tab sends and the others know it; returns it and the others. */
async function untilOneSends(pages, sender) {
  let said;
  await until(() => `one ${sender} among ${said}`, async () => {
    said = await Promise.all(pages.map(async (page) => (await stats(page)).sender));
    const others = said.filter((who) => who === 'other_tab').length;
    return said.includes(sender) && others === pages.length - 1;
  });
  const sending = pages[said.indexOf(sender)];
  return [sending, pages.filter((page) => page !== sending)];
}
