/** Browsers that lack what this one has: the globals are gone before the page's first script. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closeBooks } from './rig/books.mjs';
import { openScene, openStage, track } from './rig/stage.mjs';
import { policies } from './rig/site.mjs';

const stage = openStage();

const lacking = {
  WebAssembly: ['WebAssembly'],
  'Web Locks': ['navigator.locks'],
  IndexedDB: ['indexedDB'],
  BroadcastChannel: ['BroadcastChannel'],
  CompressionStream: ['CompressionStream'],
  requestIdleCallback: ['requestIdleCallback'],
  sendBeacon: ['navigator.sendBeacon'],
  'randomUUID': ['crypto.randomUUID'],
};
lacking['all of these'] = Object.values(lacking).flat();

for (const [name, globals] of Object.entries(lacking)) {
  test(`a browser without ${name} delivers everything from all tabs`, async (t) => {
    const scene = await openScene(t, stage, { policy: policies.wasm });
    await scene.context.addInitScript(takeAway, globals);
    const pages = [await scene.visit(), await scene.visit()];
    assert.equal(await pages[0].evaluate(has, globals[0]), false, `${globals[0]} is still there`);
    await Promise.all(pages.map((page, tab) => track(page, 'old', 50, tab * 50)));
    await closeBooks(scene, 'old', 100);
  });
}

/** Runs in the page, before its scripts. */
function takeAway(globals) {
  for (const name of globals) {
    const [owner, property] = name.includes('.') ? name.split('.') : ['globalThis', name];
    const holder = owner === 'globalThis' ? globalThis : globalThis[owner];
    const keeper = Object.hasOwn(holder, property) ? holder : Object.getPrototypeOf(holder);
    delete keeper[property];
  }
}

/** Runs in the page. */
function has(name) {
  return name.split('.').reduce((holder, property) => holder?.[property], globalThis) !== undefined;
}
