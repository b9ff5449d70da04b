import type { FlushReport, Stats } from '../api';
import type { Numbers } from '../inside';

/** What the engine says of itself. */
export interface EngineStats {
  captured: number;
  delivered: number;
  dropped: Record<string, number>;
  queued: number;
  queued_bytes: number;
  attempts: number;
  last_error: string | null;
  paused: boolean;
  /** `memory`, `saved`, or `failing: ` and why. */
  storage: string;
  truncated: number;
}

/** What is known of a browser, beside its engine. */
export interface Known {
  /** The engine of this tab. */
  engine_: EngineStats | undefined;
  /** What the plain sender has done. */
  plain_: Numbers;
  /** Lengths of the events that it has numbered, and of the records that nobody has. */
  waiting_: number[];
  storage_: Stats['storage'];
  optedOut_: boolean;
  ignored_: number;
  sender_: Stats['sender'];
}

const NOTHING: EngineStats = {
  captured: 0, delivered: 0, dropped: {}, queued: 0, queued_bytes: 0, attempts: 0, last_error: null, paused: false, storage: 'saved', truncated: 0,
};

/** All senders' numbers as one: an event is in one of them only, so that they add up as those of each do. */
export function browserStats({ engine_ = NOTHING, plain_, waiting_, storage_, optedOut_, ignored_, sender_ }: Known): Stats {
  const numbered = plain_.delivered + total(plain_.dropped);
  const dropped = sum(engine_.dropped, plain_.dropped);
  return {
    captured: engine_.captured + numbered + waiting_.length,
    delivered: engine_.delivered + plain_.delivered,
    dropped,
    queued: engine_.queued + waiting_.length,
    queuedBytes: waiting_.reduce((bytes, length) => bytes + length, engine_.queued_bytes),
    attempts: engine_.attempts,
    lastError: engine_.last_error,
    paused: engine_.paused,
    storage: storage_,
    optedOut: optedOut_,
    ignored: ignored_,
    truncated: engine_.truncated,
    sender: sender_,
  };
}

/** Two flushes as one. */
export function bothReports(a: FlushReport, b: FlushReport): FlushReport {
  return { delivered: a.delivered + b.delivered, dropped: sum(a.dropped, b.dropped), pending: a.pending + b.pending };
}

/** What the plain sender has done between two looks at its numbers, and what it has left. */
export function plainReport(before: Numbers, after: Numbers, pending: number): FlushReport {
  const reasons = Object.entries(after.dropped).map(([reason, count]): [string, number] => [reason, count - (before.dropped[reason] ?? 0)]);
  const dropped = Object.fromEntries(reasons.filter(([, count]) => count > 0));
  return { delivered: after.delivered - before.delivered, dropped, pending };
}

function sum(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const both = { ...a };
  for (const [reason, count] of Object.entries(b)) both[reason] = (both[reason] ?? 0) + count;
  return both;
}

function total(dropped: Record<string, number>): number {
  return Object.values(dropped).reduce((all, count) => all + count, 0);
}
