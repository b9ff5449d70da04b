import { expect, test } from 'vitest';
import type { Schema } from '../../../api/types';
import { byHurt, failsMore, hurt, pageOfEndpoint, slower, timeOf } from './rank';

const endpoint = (path: string, changes: Partial<Schema<'EndpointSummary'>>): Schema<'EndpointSummary'> => ({
  source: 'gateway',
  host: null,
  method: 'GET',
  path,
  requests: 1000,
  errors: 0,
  client_errors: 0,
  error_rate: 0,
  p95_ms: 100,
  usual: { requests: 1000, error_rate: 0, p95_ms: 100 },
  ...changes,
});

test('what hurts comes first: failures beyond the usual, then slowness, then what is asked most', () => {
  const calm = endpoint('/calm', { requests: 5000 });
  const failing = endpoint('/failing', { error_rate: 0.4 });
  const alwaysSo = endpoint('/always', { error_rate: 0.4, usual: { requests: 1000, error_rate: 0.4, p95_ms: 100 } });
  const slow = endpoint('/slow', { p95_ms: 300 });
  expect(byHurt([alwaysSo, calm, slow, failing]).map((one) => one.path)).toEqual([
    '/failing',
    '/slow',
    '/calm',
    '/always',
  ]);
  expect([failing, slow, calm].map(hurt)).toEqual([400, 50, 0]);
});

test('what is new has no usual to be worse than, but fails all the same', () => {
  const fresh = endpoint('/fresh', { usual: null, error_rate: 0.1 });
  expect([hurt(fresh), slower(fresh), failsMore(fresh)]).toEqual([100, null, true]);
});

test('twice as slow is said, a tenth slower is not', () => {
  expect(slower(endpoint('/a', { p95_ms: 230 }))).toBe('2.3 × usual');
  expect(slower(endpoint('/a', { p95_ms: 110 }))).toBeNull();
});

test('the page of an endpoint names what tells it from others of its path', () => {
  expect(pageOfEndpoint(endpoint('/a/:id', { host: 'h:1', source: 'client' }), 'week')).toBe(
    '/health/endpoints/one?source=client&method=GET&path=%2Fa%2F%3Aid&host=h%3A1&range=week',
  );
});

test('a range ends with the step that is under way, in whole hours where only those are kept', () => {
  const now = Date.parse('2026-11-22T12:30:20Z');
  expect(timeOf('hour', now)).toEqual({ from: '2026-11-22T11:31:00.000Z', to: '2026-11-22T12:31:00.000Z' });
  expect(timeOf('week', now)).toEqual({ from: '2026-11-15T13:00:00.000Z', to: '2026-11-22T13:00:00.000Z' });
  expect([timeOf('day', now), timeOf('nonsense', now), timeOf(undefined, now)]).toEqual([{}, {}, {}]);
});
