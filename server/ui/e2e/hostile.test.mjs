/** What strangers send stays text, wherever it is shown. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { PAGES, show } from './pages.mjs';
import { PAYLOADS } from './rig/payloads.mjs';
import { assertQuiet, logIn, makeUser, OWNER, openStage, openTab, startServer, until } from './rig/stage.mjs';

const stage = openStage(async () => {
  const server = await startServer();
  await makeUser(server, OWNER, 'owner');
  return server;
});

/** Nothing of a payload may become a thing of the page. */
const MARKUP =
  '#main :is(script, iframe, object, embed, base, meta, style, marquee, audio, video, math, details[ontoggle], [onerror], [onload], [onfocus], [onmouseover], img[src=x], a[href^="javascript" i], a[href^="data" i])';

/** An event in which the payload is everything that an app can choose. */
function events(payload, at) {
  const timestamp = new Date(Date.now() - 60_000 + at).toISOString();
  const common = { timestamp, user_id: `u${at} ${payload}`, session_id: `s${at} ${payload}` };
  const frame = { function: payload, filename: payload, lineno: 1, in_app: true };
  return [
    { ...common, id: v7(), event: payload, properties: { [payload]: payload, nested: { [payload]: [payload] } } },
    {
      ...common,
      id: v7(),
      event: '$identify',
      anonymous_id: `a${at} ${payload}`,
      set: { name: payload, email: payload, [payload]: payload },
    },
    {
      ...common,
      id: v7(),
      event: '$pageview',
      properties: {
        $pathname: payload,
        $current_url: payload,
        $referrer: payload,
        $title: payload,
        utm_source: payload,
      },
      context: { user_agent: payload, page: { url: payload, referrer: payload, title: payload } },
    },
    { ...common, id: v7(), event: '$screen', properties: { $screen_name: payload } },
    {
      ...common,
      id: v7(),
      event: '$exception',
      properties: {
        $exception_list: [{ type: payload, value: payload, stacktrace: { frames: [frame] } }],
        $exception_level: 'error',
      },
      context: { app: { version: payload } },
    },
    {
      ...common,
      id: v7(),
      event: '$request',
      properties: { method: 'GET', host: payload, path: `/${payload}`, status: 500, duration_ms: 12 },
    },
  ];
}

/** A UUID of version 7 of this moment. */
function v7() {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

test('fifty payloads in names, properties, ids, referrers and user agents stay text on every page', async () => {
  assert.equal(new Set(PAYLOADS).size, 50);
  const { server, browser } = stage;
  const project = await server.project('<b onclick=pwned()>Shop</b>');
  const context = await browser.fresh();
  const page = await openTab(context);
  let pwned = 0;
  await context.exposeFunction('pwned', () => (pwned += 1));
  page.on('dialog', () => (pwned += 1));
  const strangers = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== server.url) strangers.push(request.url());
  });
  await logIn(page, server);

  await page.goto(`${server.url}/live?refused=true`);
  await page.locator('#main h1').waitFor();
  const batch = PAYLOADS.flatMap(events);
  for (let at = 0; at < batch.length; at += 100) {
    const body = JSON.stringify({ install_id: `i ${PAYLOADS[at % 50]}`, batch: batch.slice(at, at + 100) });
    const sent = await fetch(`${server.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${project.write}`, 'user-agent': '<img src=x onerror=pwned()>' },
      body,
    });
    assert.equal(sent.status, 202);
  }
  const check = async (where) => {
    assert.equal(await page.locator(MARKUP).count(), 0, where);
    assert.equal(pwned, 0, where);
  };
  // They come live, and are hovered, focused and opened.
  await page.getByText('<img src=x onerror=pwned()>').first().waitFor();
  await check('live');
  const stored = Number(
    await until('all events', async () => {
      const count = Number(await server.sql(`SELECT count(*) FROM events WHERE project_id = ${project.id}`));
      return count >= 300 && count;
    }),
  );
  assert.ok(stored >= 300);
  await until('issues and endpoints', async () => Number(await server.sql('SELECT count(*) FROM issues')) >= 1);

  const deeper = new Set();
  for (const [name, path] of PAGES) {
    await show(page, server.url + path);
    await check(name);
    const links = await page
      .locator('#main a[href^="/"]')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    for (const link of links.filter((link) => /^\/(people|health\/(errors|endpoints))[/?]./.test(link)).slice(0, 12))
      deeper.add(link);
  }
  assert.ok(deeper.size >= 10, `${deeper.size} pages of persons, errors and endpoints`);
  for (const path of deeper) {
    await show(page, server.url + path);
    await check(path);
  }
  for (const payload of PAYLOADS) {
    await show(page, `${server.url}/people/${encodeURIComponent(`u${PAYLOADS.indexOf(payload)} ${payload}`)}`);
    await check(`person ${payload}`);
  }
  assert.deepEqual(strangers, []);
  assertQuiet(page, /status of (401|404)/);
  await context.close();
});
