import { expect, test } from 'vitest';
import type { Draft } from '../src/api';
import { newWorld, open, records } from './world';

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

test('a record is the wire\'s event without its number, in the wire\'s order', () => {
  const client = open(newWorld(), { context: { locale: 'de-DE' } });
  client.track('one', { n: 1 });
  expect(records(client)).toEqual([
    '{"id":"01a1f8d3-ea00-7627-9e1f-202122232425","event":"one","anonymous_id":"01a1f8d3-ea00-7a0b-8c0d-0e0f10111213",' +
      '"session_id":"01a1f8d3-ea00-7415-9617-18191a1b1c1d","timestamp":"2026-11-20T12:00:00.000Z","properties":{"n":1},' +
      '"context":{"locale":"de-DE","library":{"name":"trailmark-vectors","version":"1"},"session":{"seq":1}}}',
  ]);
});

test('what JSON cannot say costs its event at most', () => {
  const client = open(newWorld());
  const thrower = { toJSON: () => { throw new Error('on purpose'); } };
  for (const bad of [cycle, { big: 1n }, thrower, [1], 'text', 7, () => 1, new Date(0)]) client.track('bad', bad as never);
  expect(records(client)).toEqual(Array(8).fill('!invalid_event'));
});

test('what JSON can say in its way is said in it', () => {
  const client = open(newWorld());
  client.track('odd', { nan: NaN, at: new Date(0), half: '\ud800', no: undefined, fn: () => 1, ['__proto__']: 1 });
  expect(records(client)[0]).toContain('"properties":{"nan":null,"at":"1970-01-01T00:00:00.000Z","half":"\\ud800"');
});

test('properties of the call win over registered ones and come last', () => {
  const client = open(newWorld());
  client.register({ plan: 'free', theme: 'dark' });
  client.track('x', { plan: 'trial' });
  client.registerOnce({ theme: 'light', locale: 'de' });
  client.unregister('plan');
  client.screen('Home', { $screen_name: 'no' });
  expect(records(client).map((text) => JSON.stringify(JSON.parse(text).properties))).toEqual([
    '{"theme":"dark","plan":"trial"}',
    '{"locale":"de","theme":"dark","$screen_name":"Home"}',
  ]);
});

test('what would make every event too large is not registered', () => {
  const client = open(newWorld());
  const keys = Object.fromEntries(Array.from({ length: 513 }, (_, n) => [`k${n}`, n]));
  client.register({ a: 1 });
  client.register({ text: 'x'.repeat(40_000) });
  client.register(keys);
  client.setContext(keys);
  client.track('x');
  expect(JSON.parse(records(client)[0]!)).toMatchObject({ properties: { a: 1 }, context: { session: { seq: 1 } } });
  expect(records(client)[0]!.length).toBeLessThan(500);
});

test('a hook changes or drops events, and one that throws changes nothing', () => {
  let hook: (draft: Draft) => Draft | null | undefined = () => null;
  const client = open(newWorld(), { beforeSend: (draft) => hook(draft) });
  client.track('dropped');
  hook = (draft) => ({ ...draft, name: 'renamed', properties: { a: 1 } });
  client.track('x');
  client.page();
  hook = (draft) => {
    draft.properties.gone = true;
    throw new Error('on purpose');
  };
  client.track('y', { b: 2 });
  const [dropped, ...kept] = records(client);
  expect(dropped).toBe('!before_send');
  expect(kept.map((text) => JSON.parse(text)).map(({ event, properties }) => [event, properties])).toEqual([
    ['renamed', { a: 1 }],
    ['$pageview', { a: 1 }],
    ['y', { b: 2 }],
  ]);
});

test('beyond the bound the oldest record goes, and why is kept', () => {
  const client = open(newWorld());
  for (let n = 0; n < 2000; n++) client.track(`e${n}`);
  const kept = records(client).filter((text) => text[0] != '!');
  // The bound, and what may come between two looks.
  expect(kept.length).toBeLessThanOrEqual(1000 + 64 + 2000 / 8);
  expect(records(client).filter((text) => text == '!queue_full').length).toBe(2000 - kept.length);
  expect(kept.at(-1)).toContain('"e1999"');
});
