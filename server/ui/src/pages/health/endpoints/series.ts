import type { Schema } from '../../../api/types';

type Series = Schema<'EndpointSeries'>;

const STEP_MS: Record<Schema<'EndpointStep'>, number> = {
  minute: 60_000,
  '5 minutes': 300_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export interface Filled {
  times: string[];
  requests: number[];
  /** Null where there were no requests: nothing failed, and nothing went well. */
  error_rate: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

/** Puts the steps without a request back in: no requests are a fact, how fast they were is not. */
export function filled({ from, to, step, points }: Series): Filled {
  const size = STEP_MS[step];
  const known = new Map(points.map((point) => [Math.floor(Date.parse(point.at) / size), point]));
  const first = Math.floor(Date.parse(from) / size);
  const end = Math.ceil(Date.parse(to) / size);
  const all = Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at);
  const values = (value: (point: Schema<'EndpointPoint'>) => number | null | undefined) =>
    all.map((at) => {
      const point = known.get(at);
      return point ? (value(point) ?? null) : null;
    });
  return {
    times: all.map((at) => new Date(at * size).toISOString()),
    requests: values((point) => point.requests).map((one) => one ?? 0),
    error_rate: values((point) => point.error_rate),
    p50: values((point) => point.p50_ms),
    p95: values((point) => point.p95_ms),
    p99: values((point) => point.p99_ms),
  };
}

/** Sums of a series. */
export function sums({ points }: Series): { requests: number; errors: number; client_errors: number } {
  const sum = (value: (point: Schema<'EndpointPoint'>) => number) =>
    points.reduce((before, point) => before + value(point), 0);
  return {
    requests: sum((point) => point.requests),
    errors: sum((point) => point.errors),
    client_errors: sum((point) => point.client_errors),
  };
}
