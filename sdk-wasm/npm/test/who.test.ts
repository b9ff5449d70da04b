import { expect, test } from 'vitest';
import { newWorld, NOON, open, records } from './world';

const events = (client: ReturnType<typeof open>) => records(client).filter((text) => text[0] != '!').map((text) => JSON.parse(text));

test('the first user keeps the device\'s id, another one opens an epoch', () => {
  const world = newWorld();
  const client = open(world);
  client.register({ theme: 'dark' });
  client.group('company', 'acme');
  world.now = NOON + 10;
  client.identify('u_7');
  world.now = NOON + 20;
  client.track('by u_7');
  world.now = NOON + 30;
  client.identify('u_8', { plan: 'free' });
  const [group, first, track, second] = events(client);
  expect(group.properties).toEqual({ theme: 'dark', $group_type: 'company', $group_id: 'acme', $group_set: {}, $groups: { company: 'acme' } });
  expect(first.anonymous_id).toBe(track.anonymous_id);
  expect(first.properties).toBeUndefined();
  expect(track.properties).toEqual({ theme: 'dark', $groups: { company: 'acme' } });
  expect(second).toMatchObject({ anonymous_id: '01a1f8d3-ea1e-7c3d-be3f-404142434445', user_id: 'u_8', session_id: '01a1f8d3-ea1e-7647-8849-4a4b4c4d4e4f', set: { plan: 'free' } });
});

test('the same user costs nothing, or a $set', () => {
  const client = open(newWorld());
  client.identify('u_7');
  client.identify('u_7');
  client.identify('u_7', { plan: 'pro' });
  expect(events(client).map(({ event }) => event)).toEqual(['$identify', '$set']);
});

test('junk ids and ids that are too long are refused before anything is drawn, and change nothing', () => {
  const client = open(newWorld());
  const junk = ['', 'null', 'undefined', '0', ' "None" ', '[object Object]', '00000000-0000-0000-0000-000000000000', 'GUEST'];
  for (const id of [...junk, null, undefined, {}] as string[]) client.identify(id);
  client.identify('u'.repeat(201));
  expect(client.userId()).toBeUndefined();
  expect(records(client).sort()).toEqual(['!id_too_long', ...Array(11).fill('!junk_user_id')]);
  client.identify('é'.repeat(200));
  expect(events(client)[0].id).toBe('01a1f8d3-ea00-7627-9e1f-202122232425');
});

test('an identify whose properties are refused is no identify', () => {
  const client = open(newWorld());
  client.identify('u_7', [4] as never);
  expect(client.userId()).toBeUndefined();
  client.take_ = () => 'too_large';
  client.identify('u_7', { text: 'x' });
  client.group('company', 'acme');
  expect([client.userId(), client.who_().g]).toEqual([undefined, undefined]);
});

test('groups are refused for a missing type, junk, and what is no object', () => {
  const client = open(newWorld());
  client.group('', 'x');
  client.group('company', 'null');
  client.group('undefined', 'x');
  client.group('company', 'acme', [2] as never);
  expect(records(client).sort()).toEqual(['!invalid_event', '!junk_user_id', '!junk_user_id', '!missing_name']);
  expect(client.who_().g).toBeUndefined();
});

test('a pause of 30 minutes ends a session, and so do 24 hours; a clock that goes back ends none', () => {
  const world = newWorld();
  const client = open(world);
  const seq = (at: number) => {
    world.now = NOON + at * 60_000;
    client.track('x');
    return client.who_().s![1];
  };
  expect([0, 29, 58, 88, 80].map(seq)).toEqual([1, 1, 1, 2, 2]);
  let last = 0;
  for (let at = 90; at < 90 + 26 * 60; at += 20) last = seq(at);
  expect(last).toBe(3);
});

test('tabs share the profile, and it survives a restart', () => {
  const world = newWorld();
  open(world).identify('u_7');
  const other = open(world);
  expect(other.userId()).toBe('u_7');
  other.reset();
  expect(open(world).userId()).toBeUndefined();
});

test('opted out, nothing is captured but counted, what waits is dropped, and it holds over a restart', () => {
  const world = newWorld();
  const client = open(world);
  client.track('one');
  client.optOut();
  client.track('two');
  client.identify('u_7');
  expect(records(client)).toEqual(['!opted_out']);
  expect([client.ignored_, client.isOptedOut(), open(world).isOptedOut()]).toEqual([2, true, true]);
  client.optIn();
  client.track('three');
  expect(client.who_().s![1]).toBe(2);
});

test('denied consent stores nothing before it is given', () => {
  const world = newWorld();
  const client = open(world, { consent: 'denied' });
  client.track('x');
  expect(world.storage_).toEqual({});
  client.optIn();
  client.track('x');
  expect(records(client).length).toBe(1);
  expect(open(world, { consent: 'denied' }).isOptedOut()).toBe(false);
  client.optOut();
  expect([client.isOptedOut(), world.storage_['tm._vectors.who']]).toEqual([true, undefined]);
});

test('anonymous consent and the browser\'s signals store nothing', () => {
  for (const [world, consent] of [[newWorld(), 'anonymous'], [newWorld({ private_: true }), 'granted']] as const) {
    const client = open(world, { consent });
    client.track('x');
    expect(world.storage_).toEqual({});
    expect(records(client).length).toBe(1);
    expect(client.store_.lasting_).toBe(false);
  }
});
