import type { Schema } from '../../api/types';

type Kind = Schema<'ProblemKind'>;

/** What is clicked to see the evidence of each kind of problem. */
const NAMES: Record<Kind, string> = {
  monitor_down: 'See the monitor',
  events_stopped: 'See its course',
  ingest: 'See the delivery',
  failing_endpoint: 'See the endpoint',
  error_spike: 'See the errors',
  regressed_issue: 'See the error',
  new_issue: 'See the error',
  slow_endpoint: 'See the endpoint',
  funnel_dropped: 'See the funnel',
  threshold: 'See the answer',
  certificate_expiring: 'See the monitor',
};

export const evidenceName = (kind: string) => NAMES[kind as Kind] ?? 'See the evidence';

/** Kinds that mean that something does not work at all; the others can wait for the morning. */
const SEVERE = new Set<string>(['monitor_down', 'events_stopped', 'ingest', 'failing_endpoint', 'error_spike']);

export const isSevere = (kind: string) => SEVERE.has(kind);

/** Where the dashboard shows what a path of the API answers; all problems if it does not know the path. */
export function pageOf(evidence: string): string {
  const [path = '', query = ''] = evidence.split(/\?(.*)/s);
  const [kind, ...rest] = path.replace(/^\/api\/v1\//, '').split('/');
  const asked = query ? `?${query}` : '';
  if (kind === 'issues') return rest[0] ? `/health/errors/${rest[0]}` : `/health/errors${asked}`;
  if (kind === 'monitors') return `/health/monitors/${rest[0] ?? ''}`;
  if (kind === 'endpoints') return rest[0] === 'series' ? `/health/endpoints/one${asked}` : '/health/endpoints';
  if (kind === 'ingest') return '/health/delivery';
  if (kind === 'saved_queries' && rest[0]) return `/explore?saved=${rest[0]}`;
  if (kind === 'events') return courseOf(new URLSearchParams(query).get('event'));
  return '/health/problems';
}

/** The week of an event by the hour, where its silence is seen; of all events what arrives now. */
function courseOf(event: string | null): string {
  if (event === null) return '/live';
  const question = { kind: 'trends', date_from: '-7d', interval: 'hour', series: [{ event, math: 'total' }] };
  return `/explore?${new URLSearchParams({ q: JSON.stringify(question) })}`;
}
