import { afterEach, expect, test, vi } from 'vitest';
import { send } from '../src/courier';
import { newWorld, open, records } from './world';

afterEach(() => void vi.unstubAllGlobals());

/** Sends once; the server answers `answer`. */
async function sent(answer: unknown, ...names: string[]) {
  const client = open(newWorld());
  for (const name of names) client.track(name);
  const calls: [string, any][] = [];
  vi.stubGlobal('fetch', async (...call: [string, any]) => {
    calls.push(call);
    return new Response(JSON.stringify(answer));
  });
  send(client);
  await vi.waitFor(() => expect(calls.length).toBe(1));
  await new Promise(setImmediate);
  return { client, calls };
}

test('it sends records without numbers, and removes what the receipt accounts for', async () => {
  const { client, calls } = await sent({ accepted: 2, results: [] }, 'a', 'b');
  expect(calls[0]![0]).toMatch(/^https:\/\/example\.test\/v1\/batch\?key=tm_pk_vectors&sent_at=/);
  expect(JSON.parse(calls[0]![1].body).batch.map(({ event }: any) => event)).toEqual(['a', 'b']);
  expect(records(client)).toEqual([]);
});

test('an event that is dropped stays as its reason, one that is wanted again stays', async () => {
  const results = [{ index: 0, result: 'drop', reason: 'too_deep' }, { index: 1, result: 'retry', reason: 'x' }];
  const { client } = await sent({ accepted: 1, results }, 'a', 'b', 'c');
  expect(records(client).map((text) => (text[0] == '!' ? text : JSON.parse(text).event))).toEqual(['!too_deep', 'b']);
});

test('what is no receipt changes nothing', async () => {
  for (const answer of [{}, { status: 'ok' }, { accepted: 1, results: [] }, 'text', null]) {
    const { client } = await sent(answer, 'a', 'b');
    expect(records(client).length).toBe(2);
  }
});
