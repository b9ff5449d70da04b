import { expect, test } from 'vitest';
import { bars, certificate, lasted, spoken, target, uptime } from './uptime';

const day = (date: string, checks: number, failures: number) => ({
  at: `2026-11-${date}T12:00:00.000Z`,
  checks,
  failures,
  uptime: checks === 0 ? null : (checks - failures) / checks,
});

test('uptime is never rounded up to 100 %', () => {
  expect([1, 0.99999, 0.9998, 0.5, 0].map(uptime)).toEqual(['100 %', '99.99 %', '99.98 %', '50.00 %', '0.00 %']);
  expect([null, undefined].map(uptime)).toEqual(['–', '–']);
});

test('a day says whether it was checked, and what failed', () => {
  const made = bars([day('18', 0, 0), day('19', 2880, 0), day('20', 2880, 4), day('21', 2880, 300)]);
  expect(made.map((bar) => bar.how)).toEqual(['none', 'good', 'some', 'bad']);
  expect(made.map((bar) => bar.text)).toEqual([
    'Nov 18: not checked',
    'Nov 19: 100 %, no check failed',
    'Nov 20: 99.86 %, 4 of 2,880 checks failed',
    'Nov 21: 89.58 %, 300 of 2,880 checks failed',
  ]);
});

test('ninety bars are one sentence', () => {
  expect(spoken([day('19', 0, 0), day('20', 10, 1), day('21', 10, 0)])).toBe(
    'The last 3 days: checked on 2, with failures on 1',
  );
  expect(spoken([day('19', 0, 0)])).toBe('The last 1 days: not checked');
});

test('a certificate that ends within two weeks is told', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  expect(certificate('2026-12-01T12:00:00Z', now)).toEqual({ text: 'ends in 11 d', isSoon: true });
  expect(certificate('2027-01-20T12:00:00Z', now)).toEqual({ text: 'ends in 61 d', isSoon: false });
  expect(certificate('2026-11-20T11:00:00Z', now)).toEqual({ text: 'has ended', isSoon: true });
  expect(certificate(null, now)).toBeNull();
});

test('what is asked is said in a line', () => {
  expect(target({ http: { url: 'https://a.example/', follow_redirects: true }, tcp: null })).toBe('https://a.example/');
  expect(target({ http: { url: 'https://a.example/', method: 'HEAD', follow_redirects: true }, tcp: null })).toBe(
    'HEAD https://a.example/',
  );
  expect(target({ http: null, tcp: { host: 'db', port: 5432 } })).toBe('db:5432');
});

test('an incident that is not over lasts until now', () => {
  const now = Date.parse('2026-11-20T12:10:00Z');
  expect(lasted({ started_at: '2026-11-20T12:00:00Z', ended_at: null }, now)).toBe(600);
  expect(lasted({ started_at: '2026-11-20T12:00:00Z', ended_at: '2026-11-20T12:01:00Z' }, now)).toBe(60);
});
