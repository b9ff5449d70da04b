import { expect, test } from 'vitest';
import { matching, SHOWN } from './options';

const options = ['cart', 'checkout', 'add to cart', 'Cancelled'].map((value) => ({ value }));

test('what begins with the text comes first, whatever the case of letters', () => {
  expect(matching(options, 'CA').map((one) => one.value)).toEqual(['cart', 'Cancelled', 'add to cart']);
  expect(matching(options, 'nothing')).toEqual([]);
  expect(matching(options, ' ')).toEqual(options);
});

test('what is shown is found by, not what is meant', () => {
  expect(matching([{ value: 'event plan', name: 'plan' }], 'event')).toEqual([]);
});

test('no list is longer than anybody reads', () => {
  const many = Array.from({ length: 500 }, (_, n) => ({ value: `e${n}` }));
  expect(matching(many, '')).toHaveLength(SHOWN);
  expect(matching(many, 'e')).toHaveLength(SHOWN);
});
