import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { byCount, meaning } from './reasons';

/** The words in the first column of a table of docs/api.md. */
function words(table: string): string[] {
  const manual = readFileSync('../../docs/api.md', 'utf8');
  const rows = manual.split(`<!-- table: ${table} -->`)[1]?.split('\n\n')[0] ?? '';
  return [...rows.matchAll(/^\| `(\w+)` \|/gm)].map((found) => found[1] ?? '');
}

test('every reason of the manual has a meaning here', () => {
  const reasons = words('reasons');
  expect(reasons.length).toBeGreaterThan(20);
  expect(reasons.filter((reason) => meaning(reason) === '')).toEqual([]);
});

test('a reason of another release is shown without a meaning', () => {
  expect(meaning('something_new')).toBe('');
});

test('the most frequent reason comes first', () => {
  expect(byCount({ a: 1, c: 7, b: 7 }).map((one) => one.reason)).toEqual(['b', 'c', 'a']);
});
