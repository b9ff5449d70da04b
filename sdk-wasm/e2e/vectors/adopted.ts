/** A record that the engine takes over has the bytes that the stub alone would have sent. */
import { send } from '../../npm/src/courier';
import { KEY, newClient, SDK } from './client';
import { START } from './file';
import { call, seeded } from './generate';
import { eventsOf, idOf, unnumbered } from './request';
import { around } from './run';
import { repaired } from './text';
import type { Engines } from './wasm';
import { counting } from './world';

/** What was compared, and the first difference. */
export interface Adopted {
  events: number;
  difference: string | undefined;
}

/** Calls of a page: fewer than the events of a request. */
const CALLS = 40;
/** The longest time between two calls: more than a session's pause. */
const PAUSE_MS = 2e6;

/** Makes the calls of `rounds` pages and compares the two requests of each. */
export function adopted(engines: Engines, rounds: number, seed: number): Adopted {
  const seen: Adopted = { events: 0, difference: undefined };
  for (let round = 0; round < rounds && seen.difference === undefined; round++) {
    compare(engines, seed + round, seen);
  }
  return seen;
}

function compare(engines: Engines, seed: number, seen: Adopted): void {
  const storage = page(seed);
  const expected = sentByEngine(engines, { ...storage });
  const sent = sentAlone({ ...storage });
  seen.events += expected.length;
  const early = sentEarly({ ...storage });
  differ(seen, seed, expected, sent);
  // It has room for fewer.
  differ(seen, seed, expected.filter((event) => early.map(idOf).includes(idOf(event))), early);
}

function differ(seen: Adopted, seed: number, expected: string[], found: string[]): void {
  const [all, got] = [expected, found].map((events) => events.join('\n')) as [string, string];
  if (all !== got || found.length === 0) seen.difference ??= `seed ${seed}\n${around(all, got)}`;
}

/** What a page leaves in localStorage that has made random calls, some of them long after the others. */
function page(seed: number): Record<string, string> {
  const draw = seeded(seed);
  const storage: Record<string, string> = {};
  let now = START;
  const { front } = newClient({}, { now_: () => now, random_: counting(), storage_: storage });
  for (let calls = 0; calls < CALLS; calls++) {
    call(front, draw);
    if (draw() < 0.2) now += Math.floor(draw() * PAUSE_MS);
  }
  return storage;
}

/** The events that the stub sends without an engine. */
function sentAlone(storage: Record<string, string>): string[] {
  let sent = '';
  const fetch_ = (_: unknown, init?: RequestInit): Promise<Response> => {
    sent ||= init?.body as string;
    return new Promise(() => undefined);
  };
  const { inside } = newClient({}, { now_: () => START, random_: counting(), storage_: storage, fetch_ });
  Object.assign(inside, { plain_: true, holds_: true });
  void inside.send_();
  return eventsOf(sent).map(repaired).map(unnumbered);
}

/** The events that the script of two kilobytes sends before the engine file is there. */
function sentEarly(storage: Record<string, string>): string[] {
  let sent = '';
  const { inside } = newClient({}, { now_: () => START, random_: counting(), storage_: storage });
  const browsers = globalThis.fetch;
  globalThis.fetch = (_, init) => {
    sent = init?.body as string;
    return new Promise(() => undefined);
  };
  send(inside);
  globalThis.fetch = browsers;
  return eventsOf(sent).map(repaired);
}

/** The events of the engine that adopts the same records, without their numbers. */
function sentByEngine(engines: Engines, storage: Record<string, string>): string[] {
  const { inside: client } = newClient({}, { now_: () => START, random_: counting(), storage_: storage });
  const host = { random: () => undefined };
  const settings = { write_key: KEY, sdk_name: SDK, install_id: client.who_().i };
  const engine = engines.open(host, JSON.stringify(settings), '', START);
  for (const key of client.store_.keys_('q.')) {
    const record = client.store_.get_(key) ?? '';
    if (record.startsWith('!')) engine.refuse(record.slice(1), START);
    else engine.capture(record, START);
  }
  engine.hurry();
  engine.poll(START);
  return eventsOf(engine.body()).map(unnumbered);
}
