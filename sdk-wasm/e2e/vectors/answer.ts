/** What a file says of the end of a request. */
import type { Step } from './file';
import { compact, read } from './text';

/** An answer; without a status there was none. */
export interface Answer {
  status: number | undefined;
  body: string;
  retryAfter: string | undefined;
  date: string | undefined;
  /** Why there was none. */
  why: string;
  timedOut: boolean;
}

/** Reads a step's answer. Its body is a text as it stands, or the text of any other value. */
export function answerOf({ with: given, written }: Step): Answer {
  const body = written.get('body') ?? '""';
  return {
    status: given.status as number | undefined,
    body: body.startsWith('"') ? (read(body) as string) : compact(body),
    retryAfter: given.retry_after as string | undefined,
    date: given.date as string | undefined,
    why: (given.unreachable ?? '') as string,
    timedOut: given.timed_out === true,
  };
}

/** Bytes of a backoff. */
const DRAWN = 8;

/** How many random bytes the core draws for the waits after this answer: for requests, and for events wanted again. */
export function drawnFor({ status, body }: Answer): number {
  const final = status !== undefined && /^4(?!08|29)/.test(`${status}`);
  if (final) return 0;
  const verdicts = receiptOf(body);
  if (status === undefined || status > 299 || verdicts === undefined) return DRAWN;
  const again = verdicts.results.filter(({ result }) => result === 'retry').length;
  const progress = again < verdicts.accepted + verdicts.results.length;
  return (again > 0 ? DRAWN : 0) + (progress ? 0 : DRAWN);
}

/** What a server says of each event. */
export interface Receipt {
  accepted: number;
  results: { index: number; result: string }[];
}

/** Reads a receipt, if it is one. */
export function receiptOf(body: string): Receipt | undefined {
  try {
    const read = JSON.parse(body) as Receipt;
    return Array.isArray(read.results) ? read : undefined;
  } catch {
    return undefined;
  }
}
