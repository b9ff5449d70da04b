import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { send, sendAlone } from '../src/courier';
import { newWorld, open, records } from './world';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server that answers the same always, or cannot be reached, and what it was sent. */
function server(answer: unknown) {
  const calls: [url: string, body: { install_id: string | null; batch: { event: string }[] }][] = [];
  vi.stubGlobal('fetch', async (url: string, { body }: { body: string }) => {
    calls.push([url, JSON.parse(body)]);
    if (answer == 'unreachable') throw new TypeError('failed');
    return new Response(JSON.stringify(answer));
  });
  return calls;
}

function tracked(...names: string[]) {
  const client = open(newWorld());
  for (const name of names) client.track(name);
  return client;
}

test('it sends records without numbers, and removes what the receipt accounts for', async () => {
  const client = tracked('a', 'b');
  const calls = server({ accepted: 2, results: [] });
  expect(await send(client)).toBe(1);
  expect(calls[0]![0]).toMatch(/^https:\/\/example\.test\/v1\/batch\?key=tm_pk_vectors&sent_at=/);
  expect(calls[0]![1].batch.map(({ event }) => event)).toEqual(['a', 'b']);
  expect(records(client)).toEqual([]);
});

test('what it hears of belongs to no install; what it sends as the page ends, to the one that numbers it later', async () => {
  const client = tracked('a');
  const calls = server({ accepted: 1, results: [] });
  await send(client, JSON.stringify(client.who_().i));
  // It stays although its receipt was heard: numbered and sent again, it counts as captured, and its row as stored.
  expect(records(client).length).toBe(1);
  await send(client);
  expect(calls.map(([, body]) => body.install_id)).toEqual(['01a1f8d3-ea00-7001-8203-040506070809', null]);
  expect(records(client)).toEqual([]);
});

test('an event that is dropped stays as its reason, one that is wanted again stays', async () => {
  const client = tracked('a', 'b', 'c');
  server({ accepted: 1, results: [{ index: 0, result: 'drop', reason: 'too_deep' }, { index: 1, result: 'retry', reason: 'x' }] });
  await send(client);
  expect(records(client).map((text) => (text[0] == '!' ? text : JSON.parse(text).event))).toEqual(['!too_deep', 'b']);
});

test('what is no receipt changes nothing', async () => {
  for (const answer of [{}, { status: 'ok' }, { accepted: 1, results: [] }, 'text', null, 'unreachable']) {
    const client = tracked('a', 'b');
    server(answer);
    expect(await send(client)).toBeUndefined();
    expect(records(client).length).toBe(2);
  }
});

test('where the engine file does not come, the waits double from failure to failure, up to 5 minutes', async () => {
  const client = tracked('a');
  const calls = server('unreachable');
  const seconds: number[] = [];
  for (let second = 0; second < 1600; second++) {
    const before = calls.length;
    if (second) await vi.advanceTimersByTimeAsync(1000);
    else sendAlone(client);
    if (calls.length > before) seconds.push(second);
  }
  expect(seconds).toEqual([0, 60, 180, 420, 720, 1020, 1320]);
});

test('where the engine file does not come, all that wants an answer has one, before and after', async () => {
  const client = tracked('a', 'b');
  server('unreachable');
  const waited: unknown[] = [];
  for (const name of ['stats', 'flush', 'shutdown', 'identify']) client.waiting_.push([name, [], (answer) => waited.push(answer), 0]);
  sendAlone(client);
  const answer = { delivered: 0, dropped: {}, queued: 2, pending: 2, sender: 'plain' };
  expect((await Promise.all(waited)).slice(0, 3)).toEqual([answer, answer, answer]);
  expect(await Promise.all([client.stats(), client.flush(), client.shutdown()])).toEqual([answer, answer, answer]);
});
