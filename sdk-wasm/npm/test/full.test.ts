import { afterEach, expect, test, vi } from 'vitest';
import { createFront, type Stub } from '../src/begin';
import { complete } from '../src/complete';
import { send } from '../src/courier';
import { KEY, newWorld, records } from './world';

afterEach(() => void vi.unstubAllGlobals());

/** A localStorage that takes nothing new once it is `full`. */
function storage() {
  const disk = { full: false, kept: {} as Record<string, string> };
  const values = new Proxy(disk.kept, {
    set(kept, key: string, value: string) {
      if (disk.full) throw new DOMException('full', 'QuotaExceededError');
      kept[key] = value;
      return true;
    },
  });
  return { disk, values };
}

function begin(values: Record<string, string>, more = {}) {
  let client!: Stub;
  const front = createFront((begun) => {
    client = Object.assign(begun, newWorld({ storage_: values, ...more }));
    return () => {};
  });
  front.init(KEY);
  return { front, client };
}

const names = (texts: string[]) => texts.map((text) => JSON.parse(text).event).sort();

test('what a full localStorage refuses before the engine file comes is in memory, and is sent from there', async () => {
  const { disk, values } = storage();
  const { front, client } = begin(values);
  front.track('one');
  disk.full = true;
  front.track('two');
  front.track('three');
  let body = '';
  vi.stubGlobal('fetch', async (_: string, init: { body: string }) => {
    body = init.body;
    return new Response(JSON.stringify({ accepted: 3, results: [] }));
  });
  await send(client, '"i"');
  expect(JSON.parse(body).batch.map(({ event }: { event: string }) => event).sort()).toEqual(['one', 'three', 'two']);
  expect(names(Object.values(disk.kept).filter((text) => text.includes('"event"')))).toEqual(['one']);
});

test('the engine file finds it there, and stores again what comes later', () => {
  const { disk, values } = storage();
  const { front, client } = begin(values);
  front.track('one');
  disk.full = true;
  front.track('two');
  const session = client.who_().s;
  disk.full = false;
  complete(client);
  front.track('three');
  expect(names(records(client))).toEqual(['one', 'three', 'two']);
  expect([client.store_.lasting_, client.who_().s![0]]).toEqual([true, session![0]]);
  expect(names(Object.values(disk.kept).filter((text) => text.includes('"event"')))).toEqual(['one', 'three']);
  for (const key of client.store_.keys_('q.')) client.store_.remove_(key);
  expect(records(client)).toEqual([]);
});

test('a localStorage that is full from the beginning is memory', () => {
  const { disk, values } = storage();
  disk.full = true;
  const { front, client } = begin(values);
  front.track('one');
  const id = front.anonymousId();
  complete(client);
  expect([names(records(client)), front.anonymousId()]).toEqual([['one'], id]);
});
