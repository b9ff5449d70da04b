import type { Schema } from '../../../api/types';
import { addressOf } from '../../../parts/address';

type Endpoint = Schema<'EndpointSummary'>;

/** A p95 counts as worse than usual from one and a half times on: below, percentiles that are right to 6 % say little. */
const SLOWER = 1.5;

/** Of requests that are slower than the p95 there are 5 %. */
const BEYOND_P95 = 0.05;

/** How many times as long as usual its p95 is; null where nothing is usual. */
export const slowness = ({ p95_ms, usual }: Endpoint): number | null =>
  p95_ms != null && usual?.p95_ms ? p95_ms / usual.p95_ms : null;

/** About how many requests went worse than usual: those that failed beyond it, and those of a p95 far beyond it. */
export function hurt(endpoint: Endpoint): number {
  const failed = endpoint.requests * Math.max(0, endpoint.error_rate - (endpoint.usual?.error_rate ?? 0));
  const slow = (slowness(endpoint) ?? 0) >= SLOWER ? endpoint.requests * BEYOND_P95 : 0;
  return failed + slow;
}

/** What hurts most first; of what does not hurt, what is asked most. */
export const byHurt = (endpoints: readonly Endpoint[]): Endpoint[] =>
  endpoints.toSorted((a, b) => hurt(b) - hurt(a) || b.requests - a.requests);

/** `3.2 times as slow as usual`, of what is far slower. */
export function slower(endpoint: Endpoint): string | null {
  const times = slowness(endpoint);
  return times !== null && times >= SLOWER ? `${times.toFixed(1)} × usual` : null;
}

/** Whether it fails far more often than usual: three times, and 1 % at least. */
export function failsMore({ error_rate, usual }: Endpoint): boolean {
  return error_rate >= 0.01 && (!usual || error_rate > 3 * usual.error_rate);
}

/** The page of one endpoint, with what is needed to find it. */
export const pageOfEndpoint = ({ method, path, source, host }: Endpoint, range?: string) =>
  addressOf('/health/endpoints/one', {
    source,
    method: method ?? undefined,
    path,
    host: host ?? undefined,
    range,
  });

export const RANGES = [
  ['hour', 'Last hour'],
  ['day', 'Last 24 hours'],
  ['week', 'Last 7 days'],
  ['month', 'Last 30 days'],
] as const;

export type Range = (typeof RANGES)[number][0];

const HOURS: Record<Range, number> = { hour: 1, day: 24, week: 7 * 24, month: 30 * 24 };

/** The time of a range up to `now`: in whole minutes, or whole hours where only those are kept. */
export function timeOf(range: string | undefined, now: number): { from?: string; to?: string } {
  const hours = HOURS[range as Range];
  if (!hours || hours === 24) return {};
  const step = hours > 24 ? 3_600_000 : 60_000;
  const to = Math.ceil(now / step) * step;
  return { from: new Date(to - hours * 3_600_000).toISOString(), to: new Date(to).toISOString() };
}
