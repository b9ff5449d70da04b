import { expect, test } from 'vitest';
import { brief, told } from './events';

test('reserved names are told in words, with what matters of their properties', () => {
  const what = (event: string, properties: Record<string, unknown>, user_id?: string) => {
    const { what, more } = told({ event, properties, user_id });
    return [what, more];
  };
  expect(what('$pageview', { $pathname: '/cart', $title: 'Cart' })).toEqual(['Viewed /cart', 'Cart']);
  expect(what('$screen', { $screen_name: 'Cart' })).toEqual(['Saw the screen Cart', '']);
  expect(what('$identify', {}, 'u_7')).toEqual(['Signed in as u_7', '']);
  expect(what('$exception', { $exception_list: [{ type: 'TypeError', value: 'no price' }] })).toEqual([
    'Error: TypeError',
    'no price',
  ]);
  expect(what('$request', { method: 'GET', host: 'api', path: '/x', status: 500, duration_ms: 12 })).toEqual([
    'GET api/x → 500',
    '12 ms',
  ]);
  expect(what('$request', { method: 'GET', host: 'api', path: '/x', error: 'timeout' })).toEqual([
    'GET api/x → no answer',
    'timeout',
  ]);
});

test('an event of the app is its name, and the first properties that the app gave', () => {
  expect(told({ event: 'checkout', properties: { $lib: 'x', total: 12.5, items: ['a'] } })).toEqual({
    what: 'checkout',
    more: 'total: 12.5 · items: ["a"]',
  });
});

test('whatever a reserved event holds, it is told', () => {
  const odd = [null, 7, '', [], [null], [{}], { a: { b: 1 } }, '<b>', 'x'.repeat(10_000)];
  const names = [
    '$pageview',
    '$screen',
    '$exception',
    '$request',
    '$autocapture',
    '$web_vitals',
    '$pageleave',
    '$group',
  ];
  for (const event of names) {
    for (const value of odd) {
      const properties = Object.fromEntries(
        ['$exception_list', '$pathname', 'status', '$event_type', '$el_name', '$group_type'].map((name) => [
          name,
          value,
        ]),
      );
      const { what, more } = told({ event, properties });
      expect(what.length, event).toBeLessThan(800);
      expect(more.length, event).toBeLessThan(800);
    }
  }
  expect(told({ event: 'constructor', properties: null }).what).toBe('constructor');
});

test('a text is cut between characters, never inside one', () => {
  expect(brief('🦄🦄🦄🦄', 3)).toBe('🦄🦄…');
  expect(brief('abc', 3)).toBe('abc');
});
