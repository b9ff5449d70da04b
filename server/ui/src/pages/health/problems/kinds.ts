import type { Schema } from '../../../api/types';

type Kind = Schema<'ProblemKind'>;

/** What can be broken, in words, what is worst first. Complete: the compiler asks for each kind of the server. */
const NAMES: Record<Kind, string> = {
  monitor_down: 'A monitor is down',
  events_stopped: 'Events have stopped',
  ingest: 'Our own ingest fares badly',
  failing_endpoint: 'An endpoint fails',
  error_spike: 'Errors come far more often than usual',
  regressed_issue: 'A resolved error is back',
  new_issue: 'A new error appears',
  slow_endpoint: 'An endpoint is slow',
  funnel_dropped: 'A funnel lets fewer through',
  threshold: 'A number is beyond its bound',
  certificate_expiring: 'A certificate ends soon',
};

export const KINDS = Object.entries(NAMES) as [Kind, string][];

export const kindName = (kind: string): string => NAMES[kind as Kind] ?? kind;
