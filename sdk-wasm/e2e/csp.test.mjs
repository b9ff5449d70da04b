/** Pages with a strict Content-Security-Policy, and engine files that do not come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertStored, closeBooks } from './rig/books.mjs';
import { ENGINE_FILES, openScene, openStage, track, untilSends } from './rig/stage.mjs';
import { policies } from './rig/site.mjs';
import { until } from './rig/wait.mjs';

const stage = openStage();

const cases = [
  ["under `script-src 'self'` the plain sender delivers", { policy: policies.strict }, 'plain'],
  ["under `'wasm-unsafe-eval'` the engine takes over", { policy: policies.wasm }, 'engine'],
  ['under enforced Trusted Types the engine takes over', { policy: policies.trustedTypes }, 'engine'],
  ['without any policy the engine takes over', { policy: null }, 'engine'],
  ['when the engine is not wanted the plain sender delivers', { options: { engineUrl: false } }, 'plain'],
  ['when the wasm file is missing the plain sender delivers', { withhold: /\.wasm/ }, 'plain'],
];

for (const [name, settings, sender] of cases) {
  test(`${name} everything`, async (t) => {
    const scene = await openScene(t, stage, settings);
    const page = await scene.visit('/early');
    await track(page, 'csp', 20);
    await untilSends(page, sender);
    await track(page, 'csp', 20, 20);
    await closeBooks(scene, 'csp', 40);
  });
}

test('when the engine file is missing the stub delivers everything, and whoever waits for it is answered', async (t) => {
  const scene = await openScene(t, stage, { withhold: ENGINE_FILES });
  const page = await scene.visit();
  await track(page, 'csp', 20);
  await untilSends(page, 'plain');
  assert.equal((await page.evaluate(() => trailmark.flush())).pending, 20);
  await page.goto(`${scene.site.url}/elsewhere`);
  await assertStored(scene, 'csp', 20);
});

test('a page that stays without the engine file sends every half minute', async (t) => {
  const scene = await openScene(t, stage, { withhold: ENGINE_FILES });
  const page = await scene.context.newPage();
  await page.clock.install();
  await page.goto(`${scene.site.url}/shop`);
  await until('the engine to be missed', () => scene.site.served.some((path) => ENGINE_FILES.test(path)));
  await track(page, 'csp', 20);
  await until('a batch', async () => {
    await page.clock.fastForward(30_000);
    return scene.wire.batches.length > 0;
  });
  await assertStored(scene, 'csp', 20);
});

test('nothing that the SDK does violates a policy that allows it', async (t) => {
  const scene = await openScene(t, stage, { policy: policies.trustedTypes });
  const page = await scene.visit();
  await untilSends(page, 'engine');
  await track(page, 'csp', 20);
  await closeBooks(scene, 'csp', 20);
  assert.deepEqual(page.complaints, []);
});
