import { expect, test } from 'vitest';
import { createFront, type Stub } from '../src/begin';
import { complete } from '../src/complete';
import { KEY, newWorld, NOON, records } from './world';

/** A client as the script makes it, before the engine file has come. */
function begin(world = newWorld()) {
  let client!: Stub;
  const front = createFront((begun) => {
    client = Object.assign(begun, world);
    return () => {};
  });
  return { front, world, client: () => client };
}

test('calls before init are made when the engine file is there, before all others', () => {
  const { front, client } = begin();
  front.track('early');
  front.init(KEY);
  front.track('late');
  complete(client());
  expect(records(client()).map((text) => JSON.parse(text).event)).toEqual(['early', 'late']);
});

test('the ids of the script are UUIDv7, none twice, and they grow also when the clock does not', () => {
  const { front, client, world } = begin();
  front.init(KEY);
  for (let n = 0; n < 1000; n++) front.track('x');
  world.now -= 1000;
  front.track('x');
  const ids = Object.keys(client().kept_).flatMap((key) => /q\.(.*)/.exec(key)?.[1] ?? []);
  expect(ids.length).toBe(1001);
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(1001);
  for (const id of ids) expect(id).toMatch(/^01a1f8d[0-9a-f]-[0-9a-f]{4}-7\d{3}-8\d{3}-\d{12}$/);
});

test('what may change who it is waits for the engine file, and all behind it too, with its time', () => {
  const { front, client, world } = begin();
  front.init(KEY);
  front.track('before');
  front.identify('u_7');
  front.track('after', { n: 1 });
  world.now = NOON + 5000;
  complete(client());
  const events = records(client()).map((text) => JSON.parse(text));
  expect(events.map(({ event, user_id, timestamp }) => [event, user_id, timestamp])).toEqual([
    ['before', undefined, '2026-11-20T12:00:00.000Z'],
    ['$identify', 'u_7', '2026-11-20T12:00:00.000Z'],
    ['after', 'u_7', '2026-11-20T12:00:00.000Z'],
  ]);
  expect(client().now_()).toBe(NOON + 5000);
});

test('what waits in vain is kept for the next page, which keeps the order', () => {
  const first = begin();
  first.front.init(KEY);
  first.front.reset();
  first.front.track('behind the reset', undefined);
  first.client().kept_[first.client().prefix_ + 'c'] += '\n' + JSON.stringify(first.client().waiting_);
  const old = first.client().who_().a;
  const second = begin(newWorld({ storage_: first.world.storage_ }));
  second.front.init(KEY);
  second.front.track('of the next page');
  expect(Object.keys(second.client().kept_).filter((key) => key.includes('q.'))).toEqual([]);
  complete(second.client());
  const events = records(second.client()).map((text) => JSON.parse(text));
  expect(events.map(({ event }) => event).sort()).toEqual(['behind the reset', 'of the next page']);
  expect(events.every(({ anonymous_id }) => anonymous_id != old)).toBe(true);
});

test('questions and errors wait without holding anything up', () => {
  const { front, client } = begin();
  front.init(KEY);
  void front.stats();
  front.captureException(new Error('x'));
  front.track('x');
  expect(client().waiting_.map(([name]) => name)).toEqual(['stats', 'captureException']);
  expect(Object.keys(client().kept_).filter((key) => key.includes('q.')).length).toBe(1);
});

test('a second init with the same key changes nothing, one with another key makes another client', async () => {
  const { front } = begin();
  expect(front.init(KEY)).toBe(front);
  expect(front.init(KEY)).toBe(front);
  const other = front.init('tm_pk_another1');
  expect(other).not.toBe(front);
  expect(front.init('tm_pk_another1')).toBe(other);
  expect(await Promise.resolve(front)).toBe(front);
});

test('what is no write key starts nothing', () => {
  const { front, world } = begin();
  front.init('tm_sk_secret00');
  front.track('x');
  expect(world.storage_).toEqual({});
});

test('no call throws', () => {
  const { front } = begin(newWorld({ page_: () => { throw new Error('on purpose'); } }));
  front.init(KEY);
  expect(() => front.page()).not.toThrow();
});

test('importing the package where there is no page does nothing', async () => {
  const { trailmark } = await import('../src/index');
  expect(trailmark.init(KEY)).toBe(trailmark);
  expect(trailmark.track('x')).toBeUndefined();
  expect(await trailmark.flush()).toEqual({ delivered: 0, dropped: {}, pending: 0 });
});
