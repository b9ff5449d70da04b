import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Options } from '../src/api';
import { createFront, type Stub } from '../src/begin';
import { browserWorld } from '../src/browser';
import { complete } from '../src/complete';
import { openLock } from '../src/lock';
import { onLeave } from '../src/page/hearing';
import { KEY } from './world';

let stored: Record<string, string>;
let heard: Record<string, (event: object) => void>;
let bodies: string[];

beforeEach(() => {
  [stored, heard, bodies] = [{}, {}, []];
  vi.stubGlobal('window', {});
  vi.stubGlobal('document', { title: 'Start', referrer: '' });
  vi.stubGlobal('location', new URL('https://shop.test/start'));
  vi.stubGlobal('navigator', { language: 'de', locks: { request: () => new Promise(() => {}) } });
  vi.stubGlobal('localStorage', stored);
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => (heard[type] = listener));
  vi.stubGlobal('fetch', (_: string, { body }: { body: string }) => {
    bodies.push(body);
    return new Promise(() => {});
  });
});
afterEach(() => void vi.unstubAllGlobals());

/** A page with the script; its engine file never comes, if nothing else is said. */
function visit(options: Options = {}, load: Parameters<typeof browserWorld>[2] = () => new Promise(() => {})) {
  let client!: Stub;
  const front = createFront((begun) => browserWorld((client = begun), 'https://t.test/sdk/v1/trailmark.js', load));
  front.init(KEY, options);
  return { front, client };
}

test('nothing is stored under anonymous or denied consent, nor where the browser asks not to be observed', () => {
  const ask = { language: 'de', globalPrivacyControl: true };
  for (const [options, signal] of [[{ consent: 'anonymous' }], [{ consent: 'denied' }], [{}, ask]] as [Options, object?][]) {
    if (signal) vi.stubGlobal('navigator', signal);
    const { front } = visit(options);
    front.track('x');
    front.identify('u_7');
    front.track('y');
    heard.pagehide!({});
    expect(stored).toEqual({});
  }
});

test('consent that is given before the engine file comes is given, and nothing behind it is lost', () => {
  const { front, client } = visit({ consent: 'denied' });
  front.optIn();
  front.track('x');
  complete(client);
  expect(Object.values(stored).some((text) => text.includes('"x"'))).toBe(true);
  expect(client.store_.lasting_).toBe(true);
});

test('a page that ends names the install, and keeps what it sent', () => {
  const { client } = visit();
  heard.pagehide!({});
  expect(JSON.parse(bodies[0]!)).toMatchObject({ install_id: client.who_().i, batch: [{ event: '$pageview' }] });
  expect(Object.keys(stored).filter((key) => key.includes('.q.')).length).toBe(1);
});

test('where the engine file does not come, what was asked is answered', async () => {
  const urls: unknown[] = [];
  const { front } = visit({ engineUrl: 'https://cdn.test/engine.js' }, (url) => (urls.push(url), Promise.reject(new Error('404'))));
  expect(await front.flush()).toMatchObject({ delivered: 0, dropped: {} });
  expect(await front.stats()).toMatchObject({ sender: 'plain' });
  expect(urls).toEqual(['https://cdn.test/engine.js']);
});

test('`on` returns what takes the listener off, also before init', () => {
  let client!: Stub;
  const front = createFront((begun) => browserWorld((client = begun), 'https://t.test/x.js', () => new Promise(() => {})));
  const off = [front.on('notice', () => {})];
  front.init(KEY);
  off.push(front.on('notice', () => {}));
  expect(client.ears_.size).toBe(2);
  for (const take of off) take();
  expect(client.ears_.size).toBe(0);
});

test('the goodbye has one order: features, engine, sender, lock', () => {
  const { client } = visit();
  const said: string[] = [];
  complete(client);
  openLock(client);
  client.holds_ = true;
  client.onHold_ = (holds) => said.push(`lock ${holds}`);
  client.send_ = async (leaving) => void said.push(`sender ${leaving}`);
  client.plain_ = true;
  const { leave_ } = client;
  client.leave_ = () => {
    said.push('engine');
    leave_();
  };
  onLeave(client, () => said.push('feature'));
  heard.pagehide!({});
  expect(said.slice(0, 4)).toEqual(['feature', 'engine', 'sender true', 'lock false']);
});
