/** Every page of the dashboard, as somebody would open it on the demo's data. */

/** Paths whose numbers are known beforehand. */
export const PAGES = [
  ['now', '/'],
  ['live', '/live'],
  ['explore', '/explore'],
  ['dashboards', '/dashboards'],
  ['people', '/people'],
  ['errors', '/health/errors'],
  ['monitors', '/health/monitors'],
  ['endpoints', '/health/endpoints'],
  ['delivery', '/health/delivery'],
  ['jobs', '/health/jobs'],
  ['project', '/settings/project'],
  ['keys', '/settings/keys'],
  ['users', '/settings/users'],
  ['alerts', '/settings/alerts'],
  ['server', '/settings/server'],
  ['gateway', '/settings/gateway'],
  ['start', '/start'],
];

/** Pages of one thing: the first that the page of all of them leads to. */
const DEEPER = [
  ['dashboard', '/dashboards', 'a[href^="/dashboards/"]'],
  ['person', '/people', 'a[href^="/people/"]'],
  ['error', '/health/errors', 'a[href^="/health/errors/"]'],
  ['monitor', '/health/monitors', 'a[href^="/health/monitors/"]'],
  ['endpoint', '/health/endpoints', 'a[href^="/health/endpoints/"], a[href^="/health/endpoints?"]'],
];

/** All pages, with those of one thing. */
export async function allPages(page, url) {
  const found = [...PAGES];
  for (const [name, path, link] of DEEPER) {
    await page.goto(url + path);
    const first = page.locator(`#main ${link}`).first();
    await first.waitFor();
    found.push([name, await first.getAttribute('href')]);
  }
  return found;
}

/** Opens a page and waits until it shows what it has to show. Streams never end, so quiet means no request for half a second. */
export async function show(page, url) {
  await page.goto(url);
  await page.locator('#main h1, .bare h1').first().waitFor();
  await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => {});
  await page
    .locator('[aria-busy=true]')
    .first()
    .waitFor({ state: 'detached', timeout: 5000 })
    .catch(() => {});
}
