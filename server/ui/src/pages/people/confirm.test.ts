import { expect, test } from 'vitest';
import { fileName, toType } from './confirm';

test('the id has to be typed, unless no keyboard could', () => {
  expect(toType('u_7')).toBe('u_7');
  expect(toType('ann b@example.com')).toBe('ann b@example.com');
  for (const odd of ['', ' u_7', 'u_7\n', '\u202eu_7', 'عربى', 'x'.repeat(65)]) expect(toType(odd)).toBe('erase');
});

test('an export has a name that every system takes', () => {
  expect(fileName('../../etc/<x>\n"')).toBe('person-.._.._etc_x_.ndjson');
  expect(fileName('ann@example.com')).toBe('person-ann@example.com.ndjson');
});
