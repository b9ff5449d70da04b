import { expect, test } from 'vitest';
import { lines } from './strip';

test('what is not known is a gap, and never drawn as nothing', () => {
  expect(lines([1, 2, null, 0])).toEqual([
    [
      { at: 0, value: 1 },
      { at: 1, value: 2 },
    ],
    [{ at: 3, value: 0 }],
  ]);
  expect(lines([null, null])).toEqual([]);
});
