/** The demo's shop, visited as its visitors do, under its own strict policy. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startBrowser } from './rig/browser.mjs';
import { makeHome } from './rig/home.mjs';
import { freePort } from './rig/ports.mjs';
import { until } from './rig/wait.mjs';

const TRAILMARK = process.env.TRAILMARK_BIN ?? fileURLToPath(new URL('../../target/debug/trailmark', import.meta.url));

/** Of the log that the demo plays, which is not what is looked at here. */
const LINES = 100;

let demo;
let browser;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(() => Promise.all([demo?.leave(), browser?.leave()]));

/** `trailmark demo`, and what it says of itself. */
async function startDemo() {
  const home = makeHome();
  const log = `${home.path}/access.log`;
  const lines = execFileSync(`${dirname(TRAILMARK)}/generate-log`, { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n');
  writeFileSync(log, lines.slice(0, LINES).join('\n'));
  const [out, err] = ['out', 'err'].map((name) => openSync(`${home.path}/${name}`, 'w'));
  const words = ['demo', '--json', '--log', log, '--listen', `127.0.0.1:${await freePort()}`, '--data-dir', `${home.path}/data`];
  const env = { ...process.env, DATABASE_URL: undefined, DEMO_EXIT: undefined };
  const child = spawn(TRAILMARK, words, { cwd: home.path, env, stdio: ['ignore', out, err] });
  const said = () => JSON.parse(readFileSync(`${home.path}/out`, 'utf8'));
  const { url, secret_key: secret } = await until(() => `the demo:\n${readFileSync(`${home.path}/err`, 'utf8')}`, said);
  const read = async (path) => (await fetch(url + path, { headers: { authorization: `Bearer ${secret}` } })).json();
  async function leave() {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    await home.leave();
  }
  return { url, read, leave };
}

async function visitor(test) {
  const context = await browser.fresh();
  test.after(() => context.close());
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  await page.goto(`${demo.url}/shop/`);
  return page;
}

/** The names of a person's events, oldest first. */
async function story(person) {
  const { timeline } = await demo.read(`/v1/persons/${person}?limit=100`);
  return (timeline?.events ?? []).map((event) => event.event).reverse();
}

test('a visit from the first look to the order is told by the API', async (t) => {
  const page = await visitor(t);
  await page.click('#consent-yes');
  await page.click('#add-oolong');
  await page.click('a[href="/shop/tea/jasmine"]');
  await page.click('#add');
  await page.click('#login-user_ada');
  await page.click('nav a[href="/shop/cart"]');
  await page.click('#to-checkout');
  await page.fill('[name=name]', 'Ada');
  await page.fill('[name=voucher]', 'NOPE');
  await page.click('#redeem');
  await page.getByText('not one of ours').waitFor();
  await page.click('#break');
  await page.click('#order');
  await page.getByText('Thank you').waitFor();
  await page.click('nav a[href="/shop/about.html"]');
  await page.getByText('Six teas, one boat').waitFor();

  const calls = ['product_added', 'product_viewed', 'product_added', '$identify', 'checkout_started', 'order_completed'];
  const told = async () => (await story('user_ada')).filter((name) => calls.includes(name));
  await until(async () => `the calls in their order, not ${await told()}`, async () => `${await told()}` === `${calls}`);
  const all = await story('user_ada');
  const count = (name) => all.filter((other) => other === name).length;
  assert.equal(count('$exception'), 2, 'the voucher that was caught, and the kettle that was not');
  assert.ok(count('$pageview') >= 5, `a pageview of each route: ${all}`);
  assert.ok(count('$request') >= 1, 'the request for the vouchers');
  assert.deepEqual(page.complaints.filter((text) => !text.includes('kettle')), []);
});

test('the next person at the same browser is somebody else', async (t) => {
  const page = await visitor(t);
  await page.click('#consent-yes');
  await page.click('#login-user_grace');
  await page.click('#add-assam');
  await page.click('#logout');
  await page.click('#add-silver');
  await page.evaluate(() => document.querySelector('.panel').setAttribute('open', ''));
  await page.click('#flush');
  await page.getByText(/flush: \d+ delivered, 0 pending/).waitFor();
  await until('what Grace did', async () => (await story('user_grace')).includes('product_added'));
  assert.equal((await story('user_grace')).filter((name) => name === 'product_added').length, 1);
});

test('who says no is not counted, and nothing of them is kept', async (t) => {
  const page = await visitor(t);
  const posts = [];
  page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
  await page.click('#add-sencha');
  await page.click('#consent-no');
  await page.click('#add-assam');
  await page.click('nav a[href="/shop/about.html"]');
  await page.getByText('Six teas, one boat').waitFor();
  const kept = await page.evaluate(() => Object.keys(localStorage).filter((key) => /^tm\..*\.[qs]\./.test(key)));
  assert.deepEqual([posts, kept], [[], []]);
});
