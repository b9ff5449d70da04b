import { expect, test } from 'vitest';
import { boxes } from './bars';
import { marksIn } from './marks';
import { shadeOf } from './shade';
import { dropped, sheetCsv, sheetOf, trendPlace } from './sheet';
import { type Answered, type AnswerOf, changeOf, changeSaid, onTheClock, partSaid, periodSaid } from './words';

const meta = { took_ms: 1, timezone: 'UTC', warnings: [], date_from: null, date_to: null, incomplete_from: null };

const answer = <K extends Answered['kind']>(kind: K, query: object, numbers: object) =>
  ({ kind, meta, query: { kind, ...query }, ...numbers }) as unknown as AnswerOf<K>;

const trends = answer(
  'trends',
  { interval: 'day' },
  {
    labels: ['2026-11-19', '2026-11-20'],
    results: [
      { series: 'A', name: 'checkout', breakdown: [{ value: 'pro' }], values: [3, 0], total: 3 },
      { name: 'A / B', values: [null, 0.5], total: 0.5 },
    ],
    previous: {
      labels: ['2026-11-17', '2026-11-18'],
      results: [{ series: 'A', name: 'checkout', breakdown: [{ value: 'pro' }], values: [1, 1], total: 2 }],
    },
  },
);

test('a trend is a row for each period, with the stretch before beside it', () => {
  const { columns, rows } = sheetOf(trends);
  expect(columns.map((column) => column.name)).toEqual([
    'Period',
    'checkout · pro',
    'checkout · pro, before',
    'A / B',
    'A / B, before',
  ]);
  expect(rows.map((row) => row.map((cell) => cell.text))).toEqual([
    ['Whole stretch', '3', '2', '0.5', '–'],
    ['Nov 19', '3', '1', '–', '–'],
    ['Nov 20', '0', '1', '0.5', '–'],
  ]);
});

test('a number of a trend knows its people; a formula, nobody and the stretch before have none', () => {
  const { rows } = sheetOf(trends);
  expect(rows[1]?.[1]?.place?.at).toEqual({ series: 'A', period: '2026-11-19', breakdown: [{ value: 'pro' }] });
  expect(rows[0]?.[1]?.place?.at).toEqual({ series: 'A', breakdown: [{ value: 'pro' }] });
  expect([rows[2]?.[1], rows[1]?.[2], rows[2]?.[3]].map((cell) => cell?.place)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(trendPlace(trends, 1)).toBeUndefined();
});

test('a file has plain numbers, and nothing where nothing is known', () => {
  expect(sheetCsv(sheetOf(trends)).split('\r\n')).toEqual([
    'Period,checkout · pro,"checkout · pro, before",A / B,"A / B, before"',
    'Whole stretch,3,2,0.5,',
    '2026-11-19,3,1,,',
    '2026-11-20,0,1,0.5,',
    '',
  ]);
});

test('a period that is not over yet says so', () => {
  const open = { ...trends, meta: { ...meta, incomplete_from: '2026-11-20' } };
  expect(sheetOf(open).rows.map((row) => row[0]?.text)).toEqual(['Whole stretch', 'Nov 19', 'Nov 20, not over yet']);
});

test('a funnel says who was lost before each step', () => {
  const steps = [
    { name: 'view', count: 10, of_first: 1, of_previous: null },
    { name: '=buy', count: 4, of_first: 0.4, of_previous: 0.4, median_seconds: 90, average_seconds: 100 },
  ];
  const funnel = answer('funnel', {}, { results: [{ steps }] });
  const { rows } = sheetOf(funnel);
  expect(rows.map((row) => row.map((cell) => cell.text))).toEqual([
    ['1. view', '10', '–', '100 %', '–', '–', '–'],
    ['2. =buy', '4', '6', '40 %', '40 %', '2 min', '2 min'],
  ]);
  expect(rows[1]?.[2]?.place?.at).toEqual({ step: 1, outcome: 'dropped' });
  expect(rows[0]?.[2]?.place).toBeUndefined();
  expect(dropped(steps, 0)).toBeNull();
});

test('what is still to come in a retention is empty, never 0', () => {
  const retention = answer(
    'retention',
    { period: 'week' },
    {
      results: [
        { label: '2026-11-09', size: 4, values: [4, 2], incomplete_from: 1 },
        { label: '2026-11-16', size: 0, values: [0, null], incomplete_from: 0 },
      ],
    },
  );
  const { columns, rows } = sheetOf(retention);
  expect(columns.map((column) => column.name)).toEqual(['Began', 'People', 'Week 0', 'Week 1']);
  expect(rows[1]?.map((cell) => cell.text)).toEqual(['week of Nov 16', '0', '0', '']);
  expect(rows[0]?.[3]?.place).toEqual({
    title: 'week of Nov 9: back 1 week later',
    at: { period: '2026-11-09', interval: 1 },
  });
});

test('every kind of answer is a table', () => {
  const facts = { sessions: 2, median_seconds: 10, average_seconds: 12, events_per_session: 3, bounce_rate: 0.5 };
  const texts = (one: Answered) => sheetOf(one).rows.map((row) => row.map((cell) => cell.text));
  expect(
    texts(
      answer(
        'lifecycle',
        { interval: 'day' },
        { labels: ['2026-11-20'], new: [1], returning: [2], resurrecting: [3], dormant: [4] },
      ),
    ),
  ).toEqual([['Nov 20', '1', '2', '3', '4']]);
  expect(
    texts(answer('stickiness', { interval: 'day' }, { labels: [1, 2], results: [{ name: 'a', values: [5, 1] }] })),
  ).toEqual([
    ['1', '5'],
    ['2', '1'],
  ]);
  expect(texts(answer('paths', {}, { results: [{ step: 1, from: 'a', to: 'b', persons: 3, count: 4 }] }))).toEqual([
    ['1', 'a', 'b', '3', '4'],
  ]);
  expect(
    texts(
      answer('sessions', { interval: 'day' }, { labels: ['2026-11-20'], results: [{ values: [facts], total: facts }] }),
    )[0],
  ).toEqual(['Whole stretch', '2', '10 s', '12 s', '3', '50 %']);
  expect(texts(answer('cohort', {}, { persons: 7 }))).toEqual([['7']]);
});

test('a change is a share of what was, and there is none of nothing', () => {
  expect([
    changeOf(6, 4),
    changeOf(3, 4),
    changeOf(4, 4),
    changeOf(4, 0),
    changeOf(null, 4),
    changeOf(4, undefined),
  ]).toEqual([0.5, -0.25, 0, null, null, null]);
  expect([0.5, -0.254, 0, 0.034, 12, -0.0002, null].map(changeSaid)).toEqual([
    '+50 %',
    '−25 %',
    '±0 %',
    '+3.4 %',
    '+1,200 %',
    '±0 %',
    '–',
  ]);
});

test('periods are said by the clock of their zone, wherever the browser is', () => {
  expect(periodSaid('2026-11-20', 'day')).toBe('Nov 20');
  expect(periodSaid('2026-11-16', 'week')).toBe('week of Nov 16');
  expect(periodSaid('2026-11-01', 'month')).toBe('Nov 2026');
  expect(periodSaid('2026-11-20T13:00:00+05:30', 'hour')).toBe('Nov 20, 13:00');
  expect(onTheClock('2026-11-20T13:00:00+05:30')).toBe('2026-11-20T13:00:00');
  expect(periodSaid('nonsense', 'day')).toBe('nonsense');
});

test('what is not a value is not said as one', () => {
  expect(
    [{ value: 'other' }, { other: true }, { missing: true }, { value: null }, { value: '' }].map(partSaid),
  ).toEqual(['other', 'other', 'no value', 'null', '“”']);
});

test('the heatmap is darker the more came back, and never so dark that it cannot be read', () => {
  const shades = [null, 0, 0.01, 0.2, 0.6, 1, 2].map(shadeOf);
  expect(shades.slice(0, 2)).toEqual([0, 0]);
  expect([...shades].sort((a, b) => a - b)).toEqual(shades);
  expect(shades.at(-1)).toBe(50);
  expect(shades[2]).toBeGreaterThan(0);
});

test('bars stand on the line, and those below zero hang from it', () => {
  expect(boxes({ name: '', values: [3, 0, 2, -4] }, 50, 10)).toEqual([
    { part: 0, y: 20, height: 30 },
    { part: 2, y: 0, height: 20 },
    { part: 3, y: 50, height: 40 },
  ]);
});

test('notes are shown in the stretch of an answer over time, and nowhere else', () => {
  const marks = ['2026-11-18T23:59:59Z', '2026-11-19T00:00:00Z', '2026-11-21T00:00:00Z'].map((at) => ({
    at,
    text: at,
  }));
  const stretch = { meta: { ...meta, date_from: '2026-11-19T00:00:00Z', date_to: '2026-11-21T00:00:00Z' } };
  expect(marksIn({ ...trends, ...stretch }, marks)).toEqual([marks[1]]);
  expect(marksIn({ ...answer('paths', {}, { results: [] }), ...stretch }, marks)).toEqual([]);
});

test('lines that would be called the same are told apart, and each is compared with itself', () => {
  const line = (series: string, total: number) => ({ series, name: 'checkout', values: [total], total });
  const twice = answer(
    'trends',
    { interval: 'day' },
    {
      labels: ['2026-11-20'],
      results: [line('A', 5), line('B', 3)],
      previous: { labels: ['2026-11-19'], results: [line('B', 2), line('A', 4)] },
    },
  );
  const { columns, rows } = sheetOf(twice);
  expect(columns.map((column) => column.name)).toEqual([
    'Period',
    'A. checkout',
    'A. checkout, before',
    'B. checkout',
    'B. checkout, before',
  ]);
  expect(rows[0]?.map((cell) => cell.text)).toEqual(['Whole stretch', '5', '4', '3', '2']);
});
