/** Pages with a strict Content-Security-Policy, and engine files that do not come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { openScene, openStage, track, untilSends } from './rig/stage.mjs';
import { policies } from './rig/site.mjs';

const stage = openStage();

const cases = [
  ["under `script-src 'self'` the stub delivers", { policy: policies.strict }, 'plain'],
  ["under `'wasm-unsafe-eval'` the engine takes over", { policy: policies.wasm }, 'engine'],
  ['under enforced Trusted Types the engine takes over', { policy: policies.trustedTypes }, 'engine'],
  ['without any policy the engine takes over', { policy: null }, 'engine'],
  ['when the engine file is missing the stub delivers', { withhold: /engine.*\.js/ }, 'plain'],
  ['when the wasm file is missing the stub delivers', { withhold: /\.wasm/ }, 'plain'],
  ['when the engine is not wanted the stub delivers', { options: { engineUrl: false } }, 'plain'],
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

test('the stub itself violates no policy', async (t) => {
  const policy = (host) => policies.trustedTypes(host).replace("'wasm-unsafe-eval' ", '');
  const scene = await openScene(t, stage, { policy, options: { engineUrl: false } });
  const page = await scene.visit();
  await track(page, 'csp', 20);
  await closeBooks(scene, 'csp', 20);
  assert.deepEqual(page.complaints, []);
});
