import type { Schema } from '../../../api/types';

type Http = Schema<'HttpMonitor'>;
type Expectation = Schema<'Expectation'>;

export const BODY_KINDS = [
  ['contains', 'contains'],
  ['lacks', 'does not contain'],
  ['matches', 'matches the regular expression'],
  ['json', 'has this JSON value'],
] as const;

export type BodyKind = (typeof BODY_KINDS)[number][0];

/** What must be so of an answer's body, as it is typed. `pointer` is of JSON only. */
export interface DraftExpectation {
  kind: BodyKind;
  value: string;
  pointer: string;
}

/** A monitor as it is typed. */
export interface Draft {
  name: string;
  kind: 'http' | 'tcp';
  url: string;
  method: NonNullable<Http['method']>;
  status: string;
  expected: DraftExpectation[];
  /** A value that is null was never shown, and stays what it is. */
  headers: { name: string; value: string | null }[];
  body: string;
  follows: boolean;
  host: string;
  port: string;
  interval: string;
  timeout: string;
}

export const EMPTY: Draft = {
  name: '',
  kind: 'http',
  url: '',
  method: 'GET',
  status: '200-299',
  expected: [],
  headers: [],
  body: '',
  follows: true,
  host: '',
  port: '',
  interval: '60',
  timeout: '10',
};

/** A monitor, to be typed on. */
export function draftOf(monitor: Schema<'Monitor'>): Draft {
  const { http, tcp } = monitor;
  return {
    ...EMPTY,
    name: monitor.name,
    interval: String(monitor.interval_s),
    timeout: String(monitor.timeout_ms / 1000),
    ...(tcp && { kind: 'tcp', host: tcp.host, port: String(tcp.port) }),
    ...(http && {
      url: http.url,
      method: http.method ?? 'GET',
      status: (http.expected_status ?? []).join(', '),
      expected: (http.expected_body ?? []).map(typed),
      headers: Object.entries(http.headers ?? {}).map(([name, value]) => ({ name, value })),
      body: http.body ?? '',
      follows: http.follow_redirects ?? true,
    }),
  };
}

function typed(expectation: Expectation): DraftExpectation {
  if ('contains' in expectation) return { kind: 'contains', value: expectation.contains, pointer: '' };
  if ('lacks' in expectation) return { kind: 'lacks', value: expectation.lacks, pointer: '' };
  if ('matches' in expectation) return { kind: 'matches', value: expectation.matches, pointer: '' };
  return { kind: 'json', value: JSON.stringify(expectation.json.equals), pointer: expectation.json.pointer };
}

/** What was typed, as the server takes it. */
export function monitorOf(draft: Draft): Schema<'NewMonitor'> {
  return {
    name: draft.name.trim(),
    interval_s: Number(draft.interval),
    timeout_ms: Math.round(Number(draft.timeout) * 1000),
    ...(draft.kind === 'tcp'
      ? { tcp: { host: draft.host.trim(), port: Number(draft.port) } }
      : { http: httpOf(draft) }),
  };
}

function httpOf(draft: Draft): Http {
  return {
    url: draft.url.trim(),
    method: draft.method,
    expected_status: draft.status.split(/[\s,]+/).filter(Boolean),
    expected_body: draft.expected.filter((one) => one.value !== '').map(expectationOf),
    headers: Object.fromEntries(draft.headers.filter((one) => one.name !== '').map((one) => [one.name, one.value])),
    body: draft.body === '' ? null : draft.body,
    follow_redirects: draft.follows,
  };
}

function expectationOf({ kind, value, pointer }: DraftExpectation): Expectation {
  if (kind === 'contains') return { contains: value };
  if (kind === 'lacks') return { lacks: value };
  if (kind === 'matches') return { matches: value };
  return { json: { pointer, equals: json(value) } } as Expectation;
}

/** What is typed as JSON; what is none is a text. */
function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
