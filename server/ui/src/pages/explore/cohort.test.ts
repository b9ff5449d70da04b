import { expect, test } from 'vitest';
import { begun, type Definition, definitionOf, definitionSaid, idsOf } from './cohort';

const filter = { type: 'person', property: 'plan', op: 'is', value: 'pro' } as never;

test('what the form has becomes the definition that the server takes', () => {
  const did = { ...begun('performed'), event: 'checkout', times: 3 } as never;
  expect(definitionOf(true, [did, { what: 'person', filter }], 'Europe/Berlin')).toEqual({
    and: [
      {
        performed: {
          event: 'checkout',
          filters: null,
          times: { at_least: 3 },
          within: { date_from: '-30d', date_to: null, timezone: 'Europe/Berlin' },
        },
      },
      { person: filter },
    ],
  });
  const ever = { ...begun('not_performed'), days: null } as never;
  expect(definitionOf(false, [ever, { what: 'in_cohort', cohort: 7 }], 'UTC')).toEqual({
    or: [{ not_performed: { event: null, filters: null, times: { at_least: 1 }, within: null } }, { in_cohort: 7 }],
  });
});

test('nothing is asked as long as something is to be filled in', () => {
  expect(definitionOf(true, [], 'UTC')).toBeNull();
  expect(definitionOf(true, [begun('performed'), begun('person')], 'UTC')).toBeNull();
  expect(definitionOf(true, [begun('in_cohort')], 'UTC')).toBeNull();
});

test('a definition is said in a sentence', () => {
  const definition = {
    and: [
      { performed: { event: 'buy', times: { at_least: 3 }, within: { date_from: '-30d', timezone: 'UTC' } } },
      { not_performed: { event: null, times: { at_least: 1 } } },
      { person: filter },
      { in_cohort: 2 },
    ],
  } as unknown as Definition;
  expect(definitionSaid(definition, (id) => `“${id}”`)).toBe(
    'did buy at least 3 times in the last 30 days, and did not do anything, and plan is pro, and is in “2”',
  );
});

test('ids are one a line, or the first column of a table, each once', () => {
  expect(idsOf('u_1\r\n\n u_2 \n"u_3",Ann\nu_1\tx\n')).toEqual(['u_1', 'u_2', 'u_3']);
});
