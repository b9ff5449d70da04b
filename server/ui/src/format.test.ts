import { expect, test, vi } from 'vitest';
import { ago, csv, millis, percent, seconds } from './format';

test('a share that is nearly nothing or nearly all is never said to be nothing or all', () => {
  expect([0, 0.0004, 0.003, 0.41, 0.9996, 1].map(percent)).toEqual([
    '0 %',
    '< 0.1 %',
    '0.3 %',
    '41 %',
    '> 99.9 %',
    '100 %',
  ]);
});

test('durations are said in the unit that people would choose', () => {
  expect([0.4, 59, 61, 3600, 7500, 4 * 86400].map(seconds)).toEqual([
    '0.4 s',
    '59 s',
    '1 min',
    '1 h',
    '2 h 5 min',
    '4 d',
  ]);
  expect([12.4, 999, 1234].map(millis)).toEqual(['12 ms', '999 ms', '1.2 s']);
});

test('what is to come is not said to be past', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  expect(ago('2026-11-20T11:57:00Z', now)).toBe('3 min ago');
  expect(ago('2026-11-20T14:00:00Z', now)).toBe('in 2 h');
  expect(ago('2026-11-20T01:44:00Z', now)).toBe('10 h ago');
  expect(ago('2026-11-20T11:59:58Z', now)).toBe('just now');
});

test('a CSV survives quotes, and hands no formula to a spreadsheet', () => {
  expect(csv([['a"b', 'x,y', '=HYPERLINK("http://x")', -3, null, { k: 1 }]])).toBe(
    `"a""b","x,y","'=HYPERLINK(""http://x"")",-3,,"{""k"":1}"\r\n`,
  );
});

test('a day of UTC is the same day wherever it is looked at', async () => {
  const before = process.env.TZ;
  process.env.TZ = 'America/Los_Angeles';
  vi.resetModules();
  const { day, utcDay } = await import('./format');
  expect([day('2026-11-20T00:00:00Z'), utcDay('2026-11-20T00:00:00Z'), utcDay('2026-11-20')]).toEqual([
    'Nov 19',
    'Nov 20',
    'Nov 20',
  ]);
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});
