/** The driver of the engine in a real browser, against a server of our own that keeps what it was sent. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { bundles } from './bundles.mjs';
import { startPeer } from './peer.mjs';
import { PATIENCE } from './rig/wait.mjs';

const { chromium } = createRequire(new URL('../npm/package.json', import.meta.url))('playwright-core');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PREFIX = 'tm.sts_only.';

let files, browser, peer, context;
before(async () => {
  files = await bundles();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: ARGS, timeout: PATIENCE });
});
after(() => browser.close());
beforeEach(async () => {
  peer = await startPeer(files);
  context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE);
});
afterEach(async () => {
  await context.close();
  await peer.close();
});

/** A page with the client; `engine`: once the engine is at work, or whoever `sender` says. */
async function open(options = {}, { sender = 'engine', before = '' } = {}) {
  const page = await context.newPage();
  await page.goto(peer.page(options, before));
  if (sender) await untilSender(page, sender);
  return page;
}

const stats = (page) => page.evaluate(() => trailmark.stats());
const flush = (page) => page.evaluate(() => trailmark.flush());

async function untilStats(page, isSo) {
  const late = Date.now() + PATIENCE;
  for (let last; ; last = await stats(page)) {
    if (last && isSo(last)) return last;
    assert(Date.now() < late, `not in time: ${JSON.stringify(last)}`);
  }
}
const untilSender = (page, sender) => untilStats(page, (now) => now.sender === sender);

const track = (page, name, count = 1) =>
  page.evaluate(([name, count]) => { for (let n = 0; n < count; n++) trailmark.track(name, { n }); }, [name, count]);
const stored = (page, kind) => page.evaluate((start) => Object.keys(localStorage).filter((key) => key.startsWith(start)), PREFIX + kind);
const adds = ({ captured, delivered, dropped, queued }) => assert.equal(captured, delivered + queued + Object.values(dropped).reduce((a, b) => a + b, 0));
const distinct = (values) => assert.equal(new Set(values).size, values.length, `one of them twice: ${values}`);

/** So many, each once, each with a number of its own. */
function assertOnce(events, count) {
  assert.equal(events.length, count);
  distinct(events.map((event) => event.id));
  distinct(events.map((event) => event.seq));
}

/** The same of events of which a page that ended has sent copies: the server tells them by their ids. */
function assertNumberedOnce(events, count) {
  const numbers = new Map(events.map((event) => [event.id, event.seq]));
  assert.equal(numbers.size, count);
  distinct([...numbers.values()]);
  for (const event of events) assert.equal(numbers.get(event.id), event.seq, 'it was numbered twice');
}

test('the engine takes over what the stub has recorded, under the same ids', async () => {
  const page = await open({}, { sender: '', before: 'addEventListener("DOMContentLoaded", () => { for (let n = 0; n < 3; n++) trailmark.track("early", { n }); globalThis.ids = Object.keys(localStorage).filter((key) => key.includes(".q.")).map((key) => key.slice(-36)).sort(); })' });
  await untilSender(page, 'engine');
  await track(page, 'late');
  const report = await flush(page);
  assert.deepEqual(report, { delivered: 4, dropped: {}, pending: 0 });
  assert.deepEqual(peer.named('early').map((event) => event.id), await page.evaluate(() => ids));
  assert.deepEqual(peer.events().map((event) => event.seq), [1, 2, 3, 4]);
  assert.equal(peer.requests[0].headers['trailmark-sdk'], 'trailmark-web/0.1.0');
  await page.waitForFunction((prefix) => !Object.keys(localStorage).some((key) => key.startsWith(`${prefix}q.`)), PREFIX);
  adds(await stats(page));
});

test('a reload keeps the queue and its numbers', async () => {
  peer.mode = 503;
  const page = await open();
  await track(page, 'kept', 5);
  assert.equal((await flush(page)).pending, 5);
  await page.reload();
  await untilSender(page, 'engine');
  const before = await stats(page);
  assert.deepEqual([before.captured, before.queued, before.storage], [5, 5, 'saved']);
  peer.mode = 202;
  assert.equal((await flush(page)).delivered, 5);
  assertOnce(peer.named('kept'), 5);
  adds(await stats(page));
});

test('what is recorded while the page ends is sent at once, or kept, and numbered once', async () => {
  const page = await open({}, { before: 'addEventListener("pagehide", () => trailmark.track("leaving"))' });
  await page.evaluate((elsewhere) => {
    // Behind all of ours.
    addEventListener('pagehide', () => trailmark.track('last words'));
    trailmark.track('clicked');
    location.href = elsewhere;
  }, `${peer.origin}/elsewhere`);
  await page.waitForURL('**/elsewhere');
  await peer.until(() => peer.named('clicked').length > 0 && peer.named('leaving').length > 0);
  assert.deepEqual(peer.named('last words'), []);
  const next = await open();
  await flush(next);
  const { captured, delivered } = await stats(next);
  assert.deepEqual([captured, delivered], [3, 3]);
  assertNumberedOnce(peer.events(), 3);
  assert.deepEqual(await stored(next, 'q.'), []);
});

test('a localStorage that comes back from the dead is not numbered twice', async () => {
  const before = 'addEventListener("DOMContentLoaded", () => { trailmark.track("once"); globalThis.dead = { ...localStorage }; })';
  const page = await open({}, { before });
  assert.equal((await flush(page)).delivered, 1);
  await page.waitForFunction((prefix) => !Object.keys(localStorage).some((key) => key.startsWith(`${prefix}q.`)), PREFIX);
  await page.evaluate(() => Object.assign(localStorage, dead));
  const again = await open({}, { sender: '' });
  await page.close();
  await untilSender(again, 'engine');
  await flush(again);
  assertOnce(peer.named('once'), 1);
  assert.equal((await stats(again)).captured, 1);
  assert.deepEqual(await stored(again, 'q.'), []);
});

test('of two tabs one sends, for both', async () => {
  const [first, second] = [await open(), await open({}, { sender: 'other_tab' })];
  await track(first, 'both', 3);
  await track(second, 'both', 3);
  await flush(first);
  await peer.until(() => peer.named('both').length === 6);
  assertOnce(peer.named('both'), 6);
  assert.equal(new Set(peer.requests.map((request) => request.install)).size, 1);
});

test('a flush of a tab that does not send is answered by the one that does', async () => {
  await open();
  const second = await open({}, { sender: 'other_tab' });
  await track(second, 'other', 3);
  assert.deepEqual(await flush(second), { delivered: 3, dropped: {}, pending: 0 });
  assertOnce(peer.named('other'), 3);
});

/** Nobody is given up for not having heard a question: `HEARD_MS` of channel.ts never ends. */
const PATIENT = `
  const { setTimeout: after } = window;
  window.setTimeout = (run, ms, ...given) => after(run, ms === 5_000 ? 2 ** 31 - 1 : ms, ...given);`;

test('a question that nobody has heard is answered by the tab that asks, once it is the one that sends', async () => {
  const other = await context.newPage();
  await other.goto(`${peer.origin}/elsewhere`);
  await other.evaluate(async (name) => {
    globalThis.question = new Promise((heard) => (new BroadcastChannel(name).onmessage = ({ data }) => data.ask && heard()));
    await new Promise((held) => void navigator.locks.request(name, () => (held(), new Promise((free) => (globalThis.free = free)))));
  }, PREFIX);
  const page = await open({}, { sender: '', before: PATIENT });
  await track(page, 'asked', 3);
  await page.evaluate(() => void trailmark.flush().then((report) => { globalThis.report = report; }));
  await other.evaluate(() => globalThis.question);
  await other.evaluate(() => globalThis.free());
  const report = await page.waitForFunction(() => globalThis.report);
  assert.deepEqual(await report.jsonValue(), { delivered: 3, dropped: {}, pending: 0 });
});

test('when the tab that sends is closed, another goes on', async () => {
  const first = await open();
  const second = await open({}, { sender: 'other_tab' });
  peer.mode = 503;
  await track(first, 'handed on', 3);
  await flush(first);
  await first.close();
  peer.mode = 202;
  await untilSender(second, 'engine');
  await flush(second);
  assertNumberedOnce(peer.named('handed on'), 3);
});

test('a tab that nobody looks at lets another one send', async () => {
  const first = await open();
  const second = await open({}, { sender: 'other_tab' });
  await track(first, 'first', 2);
  await first.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  await untilSender(second, 'engine');
  await untilSender(first, 'other_tab');
  await track(first, 'hidden');
  await flush(first);
  assertNumberedOnce(peer.events(), 3);
});

test('a disk that stays full leaves nothing behind of what was delivered', async () => {
  const page = await open({}, { before: FRAGILE });
  await page.evaluate(() => { globalThis.full = true; });
  await track(page, 'delivered', 3);
  await flush(page);
  await page.evaluate(() => trailmark.track('again'));
  await flush(page);
  assert.equal((await stats(page)).storage, 'failing');
  await page.reload();
  assert.deepEqual(await stored(page, 'q.'), []);
  assertOnce(peer.events(), 4);
});

test('a page that may not store anything sends from memory', async () => {
  peer.pageHeaders = { 'content-security-policy': 'sandbox allow-scripts' };
  const page = await open({ apiHost: peer.origin, engineUrl: `${peer.origin}/sdk/engine.js` });
  await track(page, 'opaque', 3);
  assert.equal((await flush(page)).delivered, 3);
  assert.equal((await stats(page)).storage, 'memory');
  assertOnce(peer.named('opaque'), 3);
});

test('without IndexedDB the plain sender works, which keeps its events in localStorage', async () => {
  const page = await open({}, { sender: 'plain', before: 'indexedDB.open = () => { throw new DOMException("no", "SecurityError"); }' });
  peer.mode = 503;
  await track(page, 'plain', 3);
  await peer.until(() => peer.requests.length > 0);
  await page.reload();
  peer.mode = 202;
  await untilSender(page, 'plain');
  await peer.until(() => peer.named('plain').length === 3);
  assertOnce(peer.named('plain'), 3);
  const now = await untilStats(page, (now) => now.queued === 0);
  assert.deepEqual([now.storage, now.delivered], ['saved', 3]);
  adds(now);
});

/** Lets the page's clock jump, and IndexedDB fail. */
const FRAGILE = `
  const { now } = Date; globalThis.jump = 0; Date.now = () => now() + jump;
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...given) { if (globalThis.full) throw new DOMException('full', 'QuotaExceededError'); return put.apply(this, given); };`;

test('a full disk keeps events in memory, and they are saved once there is room', async () => {
  peer.mode = 503;
  const page = await open({}, { before: FRAGILE });
  await page.evaluate(() => { globalThis.full = true; });
  await track(page, 'full', 2);
  await track(page, 'full', 2);
  const failing = await untilStats(page, (now) => now.storage === 'failing');
  assert.equal(failing.queued, 4);
  assert.match(failing.lastError, /QuotaExceeded/);
  await page.evaluate(() => { globalThis.full = false; });
  for (let n = 0; n < 3; n++) {
    await page.evaluate(() => { jump += 11_000; });
    await track(page, 'full');
  }
  await untilStats(page, (now) => now.storage === 'saved');
  await page.reload();
  await untilSender(page, 'engine');
  peer.mode = 202;
  assert.equal((await flush(page)).delivered, 7);
  assertOnce(peer.named('full'), 7);
});

test('a page that ends with a full disk leaves its events in localStorage', async () => {
  peer.mode = 503;
  const page = await open({}, { before: FRAGILE });
  await page.evaluate(() => { globalThis.full = true; });
  await track(page, 'spilled', 3);
  await untilStats(page, (now) => now.storage === 'failing');
  await page.reload();
  await untilSender(page, 'engine');
  peer.mode = 202;
  await flush(page);
  assertOnce(peer.named('spilled'), 3);
});

test('a wasm that cannot be compiled leaves the plain sender at work', async () => {
  peer.files['/sdk/engine.wasm'] = Buffer.from('not wasm');
  const page = await open({}, { sender: 'plain' });
  await track(page, 'corrupt', 3);
  await flush(page);
  await peer.until(() => peer.named('corrupt').length === 3);
  assertOnce(peer.named('corrupt'), 3);
});

test('a policy against wasm leaves the plain sender at work', async () => {
  peer.pageHeaders = { 'content-security-policy': "script-src 'self' 'unsafe-inline'" };
  const page = await open({}, { sender: 'plain' });
  await track(page, 'policy', 3);
  await peer.until(() => peer.named('policy').length === 3);
  assertOnce(peer.named('policy'), 3);
});

/** Lets the engine panic when it captures something. */
const PANIC = `
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (...given) {
    const instance = new Instance(...given);
    const engine_capture = (...given) => { if (globalThis.panic) throw new WebAssembly.RuntimeError('unreachable'); return instance.exports.engine_capture(...given); };
    return Object.setPrototypeOf({ exports: { ...instance.exports, engine_capture } }, Instance.prototype);
  };`;

test('an engine that panics is given up, and nothing is lost or numbered twice', async () => {
  peer.mode = 503;
  const page = await open({}, { before: PANIC });
  await page.evaluate(() => { globalThis.notices = []; trailmark.on('notice', (notice) => notices.push(notice)); });
  await track(page, 'before', 2);
  await flush(page);
  await page.evaluate(() => { trailmark.track('before'); globalThis.panic = true; trailmark.track('panic'); trailmark.track('panic'); });
  await untilSender(page, 'plain');
  peer.mode = 202;
  await peer.until(() => peer.named('panic').length === 2);
  // Until the page has its answers: what it was not told of before the reload, it would rightly send again.
  await flush(page);
  assert.equal(await page.evaluate(() => notices.at(-1).kind), 'engine_failed');
  await page.reload();
  await untilSender(page, 'engine');
  await page.evaluate(() => { globalThis.panic = false; });
  await flush(page);
  // What the engine had in memory alone is the plain sender's, which numbers by itself.
  assert.equal(peer.named('before').length, 3);
  assert.equal(peer.named('panic').length, 2);
  distinct(peer.events().map((event) => event.id));
  const end = await stats(page);
  assert.deepEqual([end.captured, end.delivered], [5, 5]);
});

test('who opts out has nothing more sent, also from another tab', async () => {
  peer.mode = 503;
  const first = await open();
  const second = await open({}, { sender: 'other_tab' });
  await track(first, 'before', 2);
  await flush(first);
  await second.evaluate(() => trailmark.optOut());
  const out = await untilStats(first, (now) => now.optedOut && now.queued === 0);
  assert.deepEqual([out.captured, out.dropped], [2, { opted_out: 2 }]);
  await track(first, 'after');
  peer.mode = 202;
  assert.deepEqual(await flush(first), { delivered: 0, dropped: {}, pending: 0 });
  await first.evaluate(() => trailmark.optIn());
  await track(first, 'again');
  assert.equal((await flush(first)).delivered, 1);
  assert.deepEqual(peer.events().map((event) => event.event), ['again']);
});

test('a request to erase is sent, and is not lost with its page', async () => {
  peer.mode = 503;
  const page = await open();
  const anonymous = await page.evaluate(() => { trailmark.identify('u_7'); const id = trailmark.anonymousId(); trailmark.deleteMyData(); return id; });
  await page.reload();
  peer.mode = 202;
  await peer.until(() => peer.named('$erase').length > 0);
  const [erase] = peer.named('$erase');
  assert.deepEqual([erase.anonymous_id, erase.user_id], [anonymous, 'u_7']);
  assert.deepEqual(peer.named('$identify'), []);
});

test('a request to erase of a tab that does not send is carried out by the one that does', async () => {
  await open();
  const second = await open({}, { sender: 'other_tab' });
  await second.evaluate(() => trailmark.deleteMyData());
  await peer.until(() => peer.named('$erase').length > 0);
  await second.waitForFunction((key) => !localStorage.getItem(key), `${PREFIX}x`);
});

test('a page that wants no engine has no wasm, and delivers all the same', async () => {
  const page = await open({ engineUrl: false }, { sender: 'plain' });
  assert.equal(await page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('.wasm'))), false);
  await track(page, 'plain');
  assert.equal((await flush(page)).pending, 0);
  await peer.until(() => peer.named('plain').length === 1);
});

test('after a shutdown nothing is captured, and that is counted', async () => {
  const page = await open();
  await track(page, 'last');
  assert.equal((await page.evaluate(() => trailmark.shutdown())).delivered, 1);
  await track(page, 'too late');
  await page.reload();
  await untilSender(page, 'engine');
  const end = await untilStats(page, (now) => now.queued === 0);
  assert.deepEqual(end.dropped, { shut_down: 1 });
  adds(end);
});

test('ten thousand events in a loop are all delivered', async () => {
  const page = await open();
  await track(page, 'many', 10_000);
  await peer.until(() => peer.named('many').length >= 10_000);
  await untilStats(page, (now) => now.delivered === 10_000);
  assertOnce(peer.named('many'), 10_000);
  assert.equal(peer.requests[0].headers['content-encoding'], 'gzip');
});
