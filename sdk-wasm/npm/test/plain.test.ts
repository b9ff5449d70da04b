import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newWorld, open } from './world';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Answer = [status: number, body: unknown, headers?: Record<string, string>] | 'unreachable';

/** A client without an engine that holds the lock, and a server that answers as told; then it accepts everything. */
function sender(...answers: Answer[]) {
  const sent: { url: string; body: any; headers: Record<string, string> }[] = [];
  const beacons: [url: string, body: string][] = [];
  const fetch_ = async (url: unknown, { body, headers }: any) => {
    const read = JSON.parse(body);
    sent.push({ url: url as string, body: read, headers });
    const answer = answers.shift() || [202, { accepted: read.batch.length, results: [], next_send_after_ms: 0 }];
    if (answer == 'unreachable') throw new TypeError('failed');
    return new Response(JSON.stringify(answer[1]), { status: answer[0], headers: answer[2] ?? {} });
  };
  const client = open(newWorld({ fetch_: fetch_ as never, beacon_: (...what) => beacons.push(what) }));
  client.holds_ = client.plain_ = true;
  return { client, sent, beacons, numbers: () => JSON.parse(client.store_.get_('n')!) };
}

test('it numbers, counts and sends what the core would', async () => {
  const { client, sent, numbers } = sender();
  client.track('one');
  client.identify('null');
  client.track('two');
  await client.send_();
  expect(sent[0]!.url).toBe('https://example.test/v1/batch');
  expect(sent[0]!.headers).toMatchObject({ authorization: 'Bearer tm_pk_vectors', 'trailmark-sdk': 'trailmark-vectors/1', 'trailmark-attempt': '1' });
  expect(sent[0]!.body).toMatchObject({ install_id: '01a1f8d3-ea00-7001-8203-040506070809', counters: { captured: 3, queued: 0, dropped: { junk_user_id: 1 } } });
  expect(sent[0]!.body.batch.map(({ event }: any) => event)).toEqual(['one', 'two']);
  expect(numbers()).toMatchObject({ captured: 3, delivered: 2, dropped: { junk_user_id: 1 } });
  expect(client.store_.keys_('s.')).toEqual([]);
});

test('a retry is the same request, and the waits end', async () => {
  const { client, sent, numbers } = sender('unreachable', [503, {}], [200, { status: 'ok' }]);
  client.track('one');
  await client.send_();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent.map(({ headers }) => headers['trailmark-attempt'])).toEqual(['1', '2', '3', '4']);
  expect(new Set(sent.map(({ headers }) => headers['trailmark-request-id'])).size).toBe(1);
  expect(numbers().delivered).toBe(1);
});

test('verdicts are obeyed event by event', async () => {
  const { client, sent, numbers } = sender([
    202,
    { accepted: 1, results: [{ index: 0, result: 'drop', reason: 'too_deep' }, { index: 2, result: 'retry', reason: 'x' }] },
  ]);
  for (const name of ['a', 'b', 'c']) client.track(name);
  await client.send_();
  expect(numbers()).toMatchObject({ captured: 3, delivered: 1, dropped: { too_deep: 1 } });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent[1]!.body.batch.map(({ event }: any) => event)).toEqual(['c']);
});

test('what the server never takes is dropped, a refused key keeps everything for 15 minutes', async () => {
  const { client, sent, numbers } = sender([400, {}], [401, {}]);
  client.track('rejected');
  await client.send_();
  expect(numbers().dropped).toEqual({ request_rejected: 1 });
  client.track('kept');
  await client.send_();
  await vi.advanceTimersByTimeAsync(14 * 60_000);
  expect(sent.length).toBe(2);
  await vi.advanceTimersByTimeAsync(2 * 60_000);
  expect(numbers().delivered).toBe(1);
});

test('413 halves the request down to one event, which is too large', async () => {
  const { client, sent, numbers } = sender([413, {}], [413, {}]);
  for (const name of ['a', 'b']) client.track(name);
  await client.send_();
  expect(sent.map(({ body }) => body.batch.length)).toEqual([2, 1, 1]);
  expect(numbers()).toMatchObject({ delivered: 1, dropped: { too_large: 1 } });
});

test('Retry-After is honoured', async () => {
  const { client, sent } = sender([503, {}, { 'retry-after': '120' }]);
  client.track('x');
  await client.send_();
  await vi.advanceTimersByTimeAsync(119_000);
  expect(sent.length).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sent.length).toBe(2);
});

test('a page that ends sends a beacon and keeps what it sent', async () => {
  const { client, beacons } = sender();
  client.track('x');
  await client.send_(true);
  expect(beacons[0]![0]).toBe('https://example.test/v1/batch?key=tm_pk_vectors&sent_at=2026-11-20T12:00:00.000Z');
  expect(JSON.parse(beacons[0]![1]).batch[0]).toMatchObject({ seq: 1, event: 'x' });
  expect(client.store_.keys_('s.')).toEqual(['s.0000000001']);
});

test('without the lock nothing is numbered or sent', async () => {
  const { client, sent } = sender();
  client.holds_ = false;
  client.track('x');
  await client.send_();
  expect([sent.length, client.store_.keys_('q.').length]).toEqual([0, 1]);
});
