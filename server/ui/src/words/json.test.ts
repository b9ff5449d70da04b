import { expect, test } from 'vitest';
import { pretty } from './json';

test('JSON that is shown reads back as what it was, and turns no direction', () => {
  const value = { name: '\u202egnp.exe\u2066', nested: ['ü🦄', '\u200fمرحبا'] };
  expect(JSON.parse(pretty(value))).toEqual(value);
  expect(pretty(value)).toContain('\\u202egnp.exe\\u2066');
  expect(pretty(value)).not.toMatch(/[\u200e-\u202e\u2066]/);
});
