import { expect, test } from 'vitest';
import { fresh, KINDS, picked, type Question, turned } from './question';
import { fromSearch, toSearch } from './url';

const GROUND = { event: 'checkout', timezone: 'Europe/Berlin' };

const read = (search: string) => fromSearch(new URLSearchParams(search));
const readJson = (json: unknown) => read(new URLSearchParams({ q: JSON.stringify(json) }).toString());

test('every kind of question survives being an address', () => {
  for (const [kind] of KINDS) {
    const question = fresh(kind, GROUND);
    expect(read(toSearch(question))).toEqual(question);
  }
});

test('a question with all that a builder makes survives being an address', () => {
  const filter = { type: 'event', property: 'plan', op: 'is', value: ['pro', null] } as const;
  const trends: Question = {
    ...fresh('trends', GROUND),
    date_from: '2026-11-01',
    date_to: '2026-11-20',
    interval: 'week',
    series: [
      { event: 'a & b', name: null, math: 'sum', math_property: 'total', filters: filter as never },
      { event: null, name: null, math: 'total', math_property: null, filters: null },
    ],
    formula: 'A / B * 100',
    breakdown: [{ type: 'person', property: 'country', limit: 6 }],
    compare: 'previous',
    filters: { and: [filter as never, { type: 'cohort', op: 'in_cohort', value: 3 }] },
  };
  const funnel: Question = {
    ...fresh('funnel', GROUND),
    steps: [picked('a'), { ...picked('b'), filters: filter as never }],
    order: 'strict',
    window: { value: 2, unit: 'hour' },
    exclusions: [{ event: null, filters: null, from_step: 0, to_step: 1 }],
  };
  expect(read(toSearch(trends))).toEqual(trends);
  expect(read(toSearch(funnel))).toEqual({
    ...funnel,
    exclusions: [{ from_step: 0, to_step: 1 }],
  });
});

test('equal questions have equal addresses, whatever the order of their fields', () => {
  const one = readJson({ kind: 'funnel', steps: [{ event: 'a' }], window: { unit: 'hour', value: 2 } });
  const other = readJson({ window: { value: 2, unit: 'hour' }, steps: [{ name: null, event: 'a' }], kind: 'funnel' });
  expect(one && toSearch(one)).toBe(other && toSearch(other));
  const usual = readJson({ kind: 'funnel', window: { unit: 'day', value: 14 } });
  expect(usual && new URLSearchParams(toSearch(usual)).get('q')).toBe('{"kind":"funnel"}');
});

test('what is usual is not in the address', () => {
  const q = new URLSearchParams(toSearch(fresh('sessions', { event: null, timezone: 'UTC' }))).get('q');
  expect(q).toBe('{"kind":"sessions"}');
});

test('an address that somebody wrote by hand asks what it says', () => {
  const question = readJson({ kind: 'funnel', steps: [{ event: 'product_viewed' }, { event: 'checkout' }] });
  expect(question).toMatchObject({
    kind: 'funnel',
    steps: [picked('product_viewed'), picked('checkout')],
    by: 'person',
  });
  expect(readJson({ kind: 'trends', series: [{ event: 'cart' }] })).toMatchObject({
    series: [{ event: 'cart', math: 'total' }],
  });
});

test('an address that makes no sense breaks nothing', () => {
  expect(read('')).toBeNull();
  expect(read('q=%7B')).toBeNull();
  expect(readJson([1])).toBeNull();
  expect(readJson({ kind: 'toString' })).toBeNull();
  const usual = fresh('funnel', { event: null, timezone: 'UTC' });
  expect(readJson({ kind: 'funnel', steps: 3, window: 'x', filters: [], by: 7, date_to: {}, unknown: 1 })).toEqual(
    usual,
  );
  expect(readJson({ kind: 'funnel', steps: [{ event: 5, filters: 'x' }] })).toMatchObject({ steps: [picked(null)] });
});

test('a question in another kind is about the same events, people and time', () => {
  const filters = { type: 'event', property: 'plan', op: 'is_set' } as never;
  const funnel: Question = {
    ...fresh('funnel', GROUND),
    steps: [picked('view'), picked('buy')],
    date_from: '-7d',
    filters,
  };
  const trends = turned(funnel, 'trends', GROUND);
  expect(trends).toMatchObject({ kind: 'trends', date_from: '-7d', filters });
  expect(trends.kind === 'trends' && trends.series.map((one) => one.event)).toEqual(['view', 'buy']);
  expect(turned(trends, 'retention', GROUND)).toMatchObject({
    start_event: picked('view'),
    return_event: picked('buy'),
    date_from: null,
  });
  expect(turned(funnel, 'funnel', GROUND)).toBe(funnel);
});
