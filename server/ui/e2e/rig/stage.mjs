/** What the tests of the dashboard stand on: a server with a month of demo data, and a browser. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { startBrowser } from '../../../../sdk-wasm/e2e/rig/browser.mjs';
import { startServer } from '../../../../sdk-wasm/e2e/rig/server.mjs';
import { until } from '../../../../sdk-wasm/e2e/rig/wait.mjs';

export { startBrowser, startServer, until };

export const OWNER = 'ann@example.com';
export const VIEWER = 'vic@example.com';

/** Makes a user as an operator does; the password is made up. */
export async function makeUser(server, email, role) {
  const { password } = await server.command('user', 'create', '--email', email, '--role', role);
  server.passwords = { ...server.passwords, [email]: password };
}

/** A server with the demo's month in it and its five incidents found, and an owner. */
export async function startDemo() {
  const server = await startServer({ words: ['demo'] });
  await until(
    () => `a demo that is ready:\n${server.log()}`,
    () => /^\s*open\s/m.test(server.log()),
  );
  await makeUser(server, OWNER, 'owner');
  return server;
}

/** Starts a server and a browser before the tests of a file, and ends them after. */
export function openStage(start) {
  const stage = {};
  before(async () => {
    [stage.server, stage.browser] = await Promise.all([start(), startBrowser()]);
  });
  after(() => Promise.all([stage.server?.leave(), stage.browser?.leave()]));
  return stage;
}

/** A tab whose complaints are kept: errors of the page, and what its Content-Security-Policy forbade. */
export async function openTab(context) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  return page;
}

/** What a page complained of, without what a test has provoked. */
export function assertQuiet(page, allowed = /status of 401/) {
  assert.deepEqual(
    page.complaints.filter((text) => !allowed.test(text)),
    [],
  );
}

/** Fills in the login form. */
export async function fillIn(page, server, email = OWNER) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(server.passwords[email]);
}

/** Fills in the login form, and sends it. */
export async function logIn(page, server, email = OWNER, path = '/') {
  await page.goto(server.url + path);
  await fillIn(page, server, email);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('nav.places').waitFor();
}
