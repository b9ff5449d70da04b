import { expect, test } from 'vitest';
import { tellView } from '../src/view';
import { newWorld, open, records } from './world';

test('the first view says which campaign led to it', () => {
  const here = { $current_url: 'https://example.test/start?utm_source=a' };
  const client = open(newWorld({ page_: () => here }));
  client.track('before');
  client.page();
  client.track('after');
  tellView(client);
  expect(records(client).map((text) => JSON.parse(text).properties)).toEqual([undefined, { utm_source: 'a', ...here }, undefined]);
});

test('a view of elsewhere and one without campaign stay as they are', () => {
  for (const world of [newWorld({ page_: () => ({ $current_url: 'https://example.test/b' }) }), newWorld({ landing_: 'https://example.test/start' })]) {
    const client = open(world);
    client.page();
    const before = records(client);
    tellView(client);
    expect(records(client)).toEqual(before);
  }
});
