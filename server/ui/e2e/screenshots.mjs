/** Pictures of every page: light and dark, desktop and phone. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { allPages, show } from './pages.mjs';
import { logIn, openTab, startBrowser, startDemo } from './rig/stage.mjs';

const FOLDER = fileURLToPath(new URL('../screenshots', import.meta.url));
const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } };

mkdirSync(FOLDER, { recursive: true });
const [server, browser] = await Promise.all([startDemo(), startBrowser()]);
try {
  const context = await browser.fresh();
  const page = await openTab(context);
  await page.goto(server.url);
  await page.screenshot({ path: `${FOLDER}/login-light-desktop.png` });
  await logIn(page, server);
  const pages = await allPages(page, server.url);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const [name, path] of pages) {
        await show(page, server.url + path);
        await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}-${size}.png`, fullPage: size === 'desktop' });
      }
    }
  }
  console.log(`${pages.length * 4 + 1} pictures in ${FOLDER}`);
} finally {
  await Promise.all([server.leave(), browser.leave()]);
}
