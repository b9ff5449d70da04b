import { expect, test } from 'vitest';
import { addressOf } from './address';

test('an address says what is chosen, and nothing of what is not', () => {
  expect(addressOf('/health/errors', { state: 'open', q: '', sort: undefined })).toBe('/health/errors?state=open');
  expect(addressOf('/health/errors', {})).toBe('/health/errors');
  expect(addressOf('/e', { path: '/a b&c' })).toBe('/e?path=%2Fa+b%26c');
});
