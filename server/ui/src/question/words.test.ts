import { expect, test } from 'vitest';
import { fresh, picked, type Question } from './question';
import { rangeSaid } from './range';
import { questionSaid } from './words';

const GROUND = { event: 'checkout', timezone: 'UTC' };

test('every kind of question is said in a sentence', () => {
  const said = (['trends', 'funnel', 'retention', 'paths', 'lifecycle', 'stickiness', 'sessions'] as const).map(
    (kind) => questionSaid(fresh(kind, GROUND)),
  );
  expect(said).toEqual([
    'People who did checkout, by day, last 30 days',
    'From checkout to any event, last 30 days',
    'Who begins with checkout and comes back with any event, over 7 weeks',
    'Paths, last 30 days',
    'Lifecycle of those with any event, by day, last 30 days',
    'How often people do checkout, by day, last 30 days',
    'Sessions, by day, last 30 days',
  ]);
});

test('what narrows a question is said, and names of events stay as they are', () => {
  const question: Question = {
    ...fresh('trends', GROUND),
    series: [{ event: 'iOS_open', name: null, math: 'sum', math_property: 'total', filters: null }],
    breakdown: [{ type: 'event', property: 'plan', limit: 6 }],
    filters: { type: 'cohort', op: 'in_cohort', value: 3 },
    date_from: '2026-11-01',
    date_to: '2026-11-15',
  };
  expect(questionSaid(question, () => '“Buyers”')).toBe(
    'Sum of total in iOS_open, for each plan, by day, where is in the cohort “Buyers”, Nov 1 to Nov 15',
  );
  const often = [{ event: 'a', name: null, math: 'total', math_property: null, filters: null }] as const;
  expect(questionSaid({ ...fresh('trends', GROUND), series: [...often] })).toBe(
    'How often a happens, by day, last 30 days',
  );
  expect(questionSaid({ ...fresh('funnel', GROUND), steps: [picked('a'), picked('b'), picked(null)] })).toBe(
    'From a to b to any event, last 30 days',
  );
});

test('stretches are called as people call them', () => {
  expect([rangeSaid('-30d', null), rangeSaid('-4w', null), rangeSaid('-1d', null), rangeSaid('-1h', null)]).toEqual([
    'Last 30 days',
    'Last 4 weeks',
    'Since yesterday',
    'Last 1 hour',
  ]);
  expect(rangeSaid('2026-11-01', null)).toBe('Nov 1 to now');
  expect(rangeSaid('2026-11-20T21:00:00Z', '-1d')).toBe('2026-11-20T21:00:00Z to -1d');
});
