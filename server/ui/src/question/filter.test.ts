import { expect, test } from 'vitest';
import { type Condition, conditionsOf, filterOf, isWhole, readValue, saidOf, takeTheSame } from './filter';
import type { Filter } from './question';

const plan: Condition = { type: 'event', property: 'plan', op: 'is', values: ['pro', 'team'] };
const country: Condition = { type: 'person', property: 'country', op: 'is_set', values: [] };
const cohort: Condition = { type: 'cohort', property: '', op: 'in_cohort', values: [7] };

test('a list of conditions is a filter, and the filter the same list', () => {
  for (const all of [true, false]) {
    const made = filterOf({ all, list: [plan, country, cohort] });
    expect(conditionsOf(made)).toEqual({ all, list: [plan, country, cohort] });
  }
  expect(filterOf({ all: false, list: [plan] })).toEqual({
    type: 'event',
    property: 'plan',
    op: 'is',
    value: ['pro', 'team'],
  });
  expect(filterOf({ all: true, list: [{ ...plan, values: [null] }] })).toMatchObject({ value: null });
  expect(conditionsOf({ type: 'event', property: 'a', op: 'is', value: null })?.list[0]?.values).toEqual([null]);
});

test('a condition that is not whole yet is asked with by nobody', () => {
  expect(
    filterOf({
      all: true,
      list: [
        { ...plan, property: '' },
        { ...plan, values: [] },
      ],
    }),
  ).toBeNull();
  expect(isWhole({ ...plan, op: 'between', values: [1] })).toBe(false);
  expect(isWhole({ ...plan, op: 'between', values: [1, 2] })).toBe(true);
  expect(isWhole(country)).toBe(true);
  expect(filterOf({ all: true, list: [] })).toBeNull();
});

test('a filter that is nested deeper is left alone', () => {
  const nested = { and: [{ or: [] }] } as Filter;
  expect(conditionsOf(nested)).toBeNull();
});

test('what was typed becomes a number only where the property has numbers', () => {
  expect(readValue('12', ['number'], 'is')).toBe(12);
  expect(readValue('12', ['string'], 'is')).toBe('12');
  expect(readValue('12', ['number', 'string'], 'is')).toBe('12');
  expect(readValue('true', ['boolean'], 'is')).toBe(true);
  expect(readValue('null', ['null', 'string'], 'is')).toBe(null);
  expect(readValue('12.5', [], 'gt')).toBe(12.5);
  expect(readValue('2026-11-20T00:00:00Z', [], 'gt')).toBe('2026-11-20T00:00:00Z');
  expect(readValue('12', ['number'], 'contains')).toBe('12');
  expect(readValue(' ', ['number'], 'is')).toBe(' ');
});

test('values stay when the comparison takes the same ones', () => {
  expect(takeTheSame('is', 'is_not')).toBe(true);
  expect(takeTheSame('gt', 'lte')).toBe(true);
  expect(takeTheSame('is', 'contains')).toBe(false);
  expect(takeTheSame('regex', 'regex')).toBe(true);
});

test('a filter is said in a sentence', () => {
  const said = (list: Condition[], all = true) => saidOf(filterOf({ all, list }), (id) => `“${id}”`);
  expect(said([plan, country])).toBe('plan is pro or team, and country is there');
  expect(said([plan, cohort], false)).toBe('plan is pro or team, or is in the cohort “7”');
  expect(said([{ ...plan, op: 'between', values: [1, 2] }])).toBe('plan is between 1 and 2');
});
