import { expect, test } from 'vitest';
import { headline, last, type NowAnswer, over, pieces, since, watch } from './words';

const now = (changes: Partial<NowAnswer>): NowAnswer => ({
  at: '2026-11-22T12:00:07Z',
  verdict: 'All clear',
  problems: [],
  problems_rest: 0,
  looked_at: '2026-11-22T12:00:00Z',
  strips: { events: [], error_rate: [], uptime: [], p95_ms: [] },
  ...changes,
});

test('all is clear only while somebody looks', () => {
  expect(headline(now({}))).toBe('All clear');
  expect(headline(now({ looked_at: '2026-11-22T11:57:00Z' }))).toBe('Nobody is looking');
  expect(headline(now({ looked_at: null }))).toBe('Not looked at yet');
});

test('a problem that is known stays known when the detectors stop', () => {
  const problem = { id: 1 } as NowAnswer['problems'][number];
  const stopped = now({ verdict: '1 problem', problems: [problem], looked_at: '2026-11-22T11:00:00Z' });
  expect([headline(stopped), watch(stopped)]).toEqual(['1 problem', 'stopped']);
});

test('a problem says since when, and for how long', () => {
  const at = new Date(2026, 10, 22, 12, 0).toISOString();
  expect(since(new Date(2026, 10, 22, 10, 41).toISOString(), at)).toMatch(/^since 10:41\sAM \(1 h 19 min\)$/);
  expect(since(new Date(2026, 10, 20, 9, 0).toISOString(), at)).toMatch(/^since Nov 20, 9:00\sAM \(2 d\)$/);
  expect(since(new Date(2026, 10, 22, 11, 59, 30).toISOString(), at)).toMatch(/\(just now\)$/);
});

test('names in a sentence are told from its words, and a lone backtick is a backtick’s end', () => {
  expect(pieces('`checkout` has stopped')).toEqual([
    { text: 'checkout', isName: true },
    { text: ' has stopped', isName: false },
  ]);
  expect(pieces('it`s odd').map((piece) => piece.isName)).toEqual([false, false]);
});

test('the minute that is not over is not drawn, and the last known value is told while it is fresh', () => {
  expect(over([3, 4, 0])).toEqual([3, 4]);
  expect(last([1, 0.5, null])).toBe(0.5);
  expect(last([null])).toBeNull();
  expect(last([0.5, null, null, null, null, null])).toBeNull();
});
