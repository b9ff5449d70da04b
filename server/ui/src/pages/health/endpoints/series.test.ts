import { expect, test } from 'vitest';
import type { Schema } from '../../../api/types';
import { filled, sums } from './series';

const point = (at: string, requests: number): Schema<'EndpointPoint'> => ({
  at,
  requests,
  errors: 1,
  client_errors: 2,
  error_rate: 1 / requests,
  p50_ms: 10,
  p95_ms: 20,
  p99_ms: null,
});

const series: Schema<'EndpointSeries'> = {
  from: '2026-11-22T12:01:00.000Z',
  to: '2026-11-22T12:16:00.000Z',
  step: '5 minutes',
  points: [point('2026-11-22T12:00:00.000Z', 4), point('2026-11-22T12:10:00.000Z', 2)],
};

test('a step without a request has none, and nothing is known of its time', () => {
  const made = filled(series);
  expect(made.times.map((time) => time.slice(14, 16))).toEqual(['00', '05', '10', '15']);
  expect(made.requests).toEqual([4, 0, 2, 0]);
  expect(made.error_rate).toEqual([0.25, null, 0.5, null]);
  expect(made.p99).toEqual([null, null, null, null]);
});

test('a series is summed', () => {
  expect(sums(series)).toEqual({ requests: 6, errors: 2, client_errors: 4 });
});
