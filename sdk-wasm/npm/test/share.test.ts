import { expect, test } from 'vitest';
import type { Options } from '../src/api';
import { newWorld, open } from './world';

/** A browser's cookies of one site: what is set, and what is read. */
function jar() {
  let kept = '';
  return {
    get cookie() {
      return kept;
    },
    set cookie(text: string) {
      kept = text.includes('Max-Age=0') ? '' : text.split(';')[0]!;
    },
  };
}

const visit = (cookies_ = jar(), options: Options = {}, world = newWorld()) =>
  open(Object.assign(world, { cookies_ }), { cookieDomain: '.example.test', ...options });

test('subdomains share the anonymous id, from the first event on', () => {
  const cookies = jar();
  const first = visit(cookies);
  expect(cookies.cookie).toBe(`tm__vectors=${first.anonymousId()}`);
  const random_ = (bytes: number) => Array.from({ length: bytes }, () => 99);
  const second = visit(cookies, {}, newWorld({ random_ }));
  expect(second.anonymousId()).toBe(first.anonymousId());
});

test('a reset and another user are told, and who was known elsewhere is nobody any more', () => {
  const cookies = jar();
  const [there, here] = [newWorld(), newWorld()];
  visit(cookies, {}, there).identify('u_1');
  const client = visit(cookies, {}, here);
  const before = client.anonymousId();
  client.identify('u_1');
  expect(cookies.cookie).toContain(before);
  client.identify('u_2');
  expect(cookies.cookie).toContain(client.anonymousId());
  const again = visit(cookies, {}, there);
  expect([again.anonymousId(), again.userId(), again.who_().e]).toEqual([client.anonymousId(), undefined, 1]);
  again.reset();
  expect(cookies.cookie).toContain(again.anonymousId());
});

test('an opt-out takes the cookie back, an opt-in shares again', () => {
  const cookies = jar();
  const client = visit(cookies);
  client.optOut();
  expect(cookies.cookie).toBe('');
  client.reset();
  expect(cookies.cookie).toBe('');
  client.optIn();
  expect(cookies.cookie).toContain(client.anonymousId());
});

test('where consent is not granted no cookie is read or written', () => {
  for (const options of [{ consent: 'anonymous' }, { consent: 'denied' }] as const) {
    const cookies = jar();
    cookies.cookie = 'tm__vectors=other';
    const client = visit(cookies, options);
    expect([cookies.cookie, client.anonymousId() == 'other']).toEqual(['tm__vectors=other', false]);
    client.optIn();
    expect(client.anonymousId() == 'other').toBe(options.consent == 'denied');
  }
});
