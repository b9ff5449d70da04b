import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KNOWN_CODES, KNOWN_REASONS, ofReason } from './refusals';

const manual = readFileSync('../../docs/api.md', 'utf8');

/** The rows of one of the manual's tables, cell by cell. */
function table(name: string): string[][] {
  const after = manual.split(`<!-- table: ${name} -->`)[1] ?? '';
  const rows = (after.split('\n\n')[0] ?? '').trim().split('\n').slice(2);
  return rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

test('every reason that a server gives is explained, and no other', () => {
  const given = table('reasons').filter((row) => row[2] !== 'device');
  expect(given.map((row) => row[1]).sort()).toEqual([...KNOWN_REASONS].sort());
});

test('every code that is explained exists', () => {
  const codes = new Set(table('codes').map((row) => row[1]));
  expect(KNOWN_CODES.filter((code) => !codes.has(code))).toEqual([]);
});

test('a reason that is not known yet is a refusal all the same', () => {
  expect(ofReason('constructor').means).toBe('It was refused.');
});
