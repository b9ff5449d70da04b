import { expect, test } from 'vitest';
import { type Key, meant } from './keys';

const key = (keys: string): Key => ({ keys, does: keys, run: () => {} });

test('two keys after one another mean the pair, and the second alone means itself', () => {
  const all = [key('g n'), key('n')];
  expect(meant(all, 'g', 'n')?.keys).toBe('g n');
  expect(meant(all, undefined, 'n')?.keys).toBe('n');
  expect(meant(all, 'x', 'n')?.keys).toBe('n');
  expect(meant(all, 'g', 'z')).toBeUndefined();
});

test('the page that came last decides what a key means', () => {
  const [shell, page] = [key('/'), key('/')];
  expect(meant([shell, page], undefined, '/')).toBe(page);
});
