import { expect, test } from 'vitest';
import { newWorld, NOON, open, records } from './world';
import { v7 } from '../src/id';

const idsOf = (client: ReturnType<typeof open>) => records(client).map((text) => JSON.parse(text).id as string);

test('an id has its time, version and variant, whatever the bytes', () => {
  for (const byte of [0, 1, 127, 128, 255]) {
    for (const ms of [0, 1, NOON, 2 ** 48 - 1]) {
      const id = v7(ms, Array<number>(10).fill(byte));
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(parseInt(id.replace(/-/g, '').slice(0, 12), 16)).toBe(ms);
    }
  }
});

test('the first ids are those of the core', () => {
  const client = open(newWorld());
  client.track('one');
  client.track('two');
  expect([client.anonymousId(), client.sessionId(), ...idsOf(client)]).toEqual([
    '01a1f8d3-ea00-7a0b-8c0d-0e0f10111213',
    '01a1f8d3-ea00-7415-9617-18191a1b1c1d',
    '01a1f8d3-ea00-7627-9e1f-202122232425',
    '01a1f8d3-ea00-7628-a829-2a2b2c2d2e2f',
  ]);
});

test('ids grow when the clock stands still or goes back, also over the end of the counter', () => {
  const world = newWorld({ random_: (bytes) => Array<number>(bytes).fill(255) });
  const client = open(world);
  const taken: string[] = [];
  client.take_ = (id) => void taken.push(id);
  for (let step = 0; step < 6000; step++) {
    world.now = NOON - (step % 7);
    client.track('x');
  }
  expect(taken).toEqual([...new Set(taken)].sort());
  expect(taken.length).toBe(6000);
});
