import type { FlushReport } from '../api';
import type { EngineStats } from './report';
import type { Work } from './work';

/** A flush of nothing. */
export const NOTHING: FlushReport = { delivered: 0, dropped: {}, pending: 0 };

/** Flushes of an engine, and who waits for their reports. */
export interface Tickets {
  /** What became of what is queued now, once that is known. */
  flush_(work: Work): Promise<FlushReport>;
  /** Looks which are over; `ending`: nobody will look again. */
  look_(work: Work, ending?: boolean): void;
}

/** No flushes yet. */
export function newTickets(): Tickets {
  const open = new Map<number, (report: FlushReport) => void>();

  function flush(work: Work): Promise<FlushReport> {
    return new Promise((resolve) => {
      const ticket = work.call_((engine, now) => engine.flush(now));
      if (ticket === undefined) return resolve(NOTHING);
      open.set(ticket, resolve);
      work.touch_();
    });
  }

  function look(work: Work, ending?: boolean): void {
    for (const [ticket, resolve] of open) {
      const report = work.call_((engine) => engine.report(ticket));
      if (!report && !ending) continue;
      open.delete(ticket);
      resolve(report ? (JSON.parse(report) as FlushReport) : { ...NOTHING, pending: engineStats(work)?.queued ?? 0 });
    }
  }

  return { flush_: flush, look_: look };
}

/** What the engine says of itself, while it is at work. */
export function engineStats(work: Work | undefined): EngineStats | undefined {
  const stats = work?.call_((engine) => engine.stats());
  return stats ? (JSON.parse(stats) as EngineStats) : undefined;
}
