import { expect, test } from 'vitest';
import type { Schema } from '../../../api/types';
import { changeOf, draftOf, EMPTY, newOf } from './draft';

const alert = (changes: Partial<Schema<'Alert'>>): Schema<'Alert'> => ({
  id: 1,
  name: 'On call',
  on: {},
  to: { webhook: { url: 'https://hooks.example.com/…' } },
  recover: true,
  remind_every_minutes: null,
  enabled: true,
  created_at: '2026-11-21T10:00:00Z',
  created_by: 'ann@example.com',
  waiting: 0,
  dead: 0,
  ...changes,
});

test('a change never sends back the URL of which only the host was shown', () => {
  const draft = draftOf(alert({ on: { kinds: ['monitor_down'], subject: '3' }, remind_every_minutes: 240 }));
  expect(draft.url).toBe('');
  expect(changeOf(draft)).toEqual({
    name: 'On call',
    on: { kinds: ['monitor_down'], subject: '3' },
    recover: true,
    remind_every_minutes: 240,
  });
  expect(changeOf({ ...draft, url: 'https://new.example/' }).to).toEqual({ webhook: { url: 'https://new.example/' } });
});

test('a bound for a number is one of above and below', () => {
  const on = { threshold: { saved_query: 7, series: 'A', below: 0.5 } };
  const draft = draftOf(alert({ on }));
  expect([draft.on, draft.bound, draft.value]).toEqual(['number', 'below', '0.5']);
  expect(changeOf(draft).on).toEqual(on);
  expect(newOf({ ...draft, bound: 'above', series: '' }).on).toEqual({ threshold: { saved_query: 7, above: 0.5 } });
});

test('addresses may stand as people write them', () => {
  const made = newOf({
    ...EMPTY,
    name: ' Mail ',
    to: 'email',
    addresses: 'a@example.com, b@example.com\nc@example.com',
  });
  expect(made).toEqual({
    name: 'Mail',
    on: {},
    recover: true,
    remind_every_minutes: null,
    enabled: true,
    to: { email: { to: ['a@example.com', 'b@example.com', 'c@example.com'] } },
  });
});

test('no kind chosen means all of them', () => {
  expect(newOf({ ...EMPTY, on: 'kinds', kinds: [] }).on).toEqual({});
});
