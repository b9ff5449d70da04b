/** For everybody: axe finds nothing, no page is wider than a phone, and a keyboard is enough. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { allPages, show } from './pages.mjs';
import { assertQuiet, logIn, OWNER, openStage, openTab, startDemo } from './rig/stage.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

const stage = openStage(startDemo);

/** What axe finds wrong, in a line each. The script is put in past the page's policy, which forbids it to others. */
async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary}`),
  );
}

for (const [size, viewport] of Object.entries({
  phone: { width: 360, height: 740 },
  desktop: { width: 1280, height: 860 },
})) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing on any page, ${colorScheme} on a ${size}, and nothing is cut off`, async () => {
      const context = await stage.browser.fresh();
      const page = await openTab(context);
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(stage.server.url);
      await page.getByLabel('E-mail').waitFor();
      assert.deepEqual(await violations(page), [], 'login');
      await logIn(page, stage.server);
      const wrong = [];
      for (const [name, path] of await allPages(page, stage.server.url)) {
        await show(page, stage.server.url + path);
        wrong.push(...(await violations(page)).map((text) => `${name} (${path}) ${text}`));
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beyond > 0) wrong.push(`${name} (${path}) is ${beyond} px too wide`);
      }
      assert.deepEqual(wrong, []);
      assertQuiet(page);
      await context.close();
    });
  }
}

test('a keyboard leads everywhere, and says how', async () => {
  const context = await stage.browser.fresh();
  const page = await openTab(context);
  await page.goto(stage.server.url);
  await page.getByLabel('E-mail').focus();
  await page.keyboard.type(OWNER);
  await page.keyboard.press('Tab');
  await page.keyboard.type(stage.server.passwords[OWNER]);
  await page.keyboard.press('Enter');
  await page.locator('nav.places').waitFor();
  for (const [keys, path] of [
    ['gl', '/live'],
    ['ge', '/explore'],
    ['gd', '/dashboards'],
    ['gp', '/people'],
    ['gh', '/health'],
    ['gs', '/settings'],
    ['gn', '/'],
  ]) {
    // As soon as the one before is in the address: whoever types ahead is not brought back.
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForURL((url) => (path === '/' ? url.pathname === '/' : url.pathname.startsWith(path)));
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Go to Live').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.locator('#main input[type=search]').waitFor();
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');
  await context.close();
});
