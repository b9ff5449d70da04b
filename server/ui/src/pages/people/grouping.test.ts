import { expect, test } from 'vitest';
import { type ChangeEntry, type Entry, type EventEntry, grouped, lasted, type Turn } from './grouping';
import { ofTurn, type Pairs } from './turn-words';

let made = 0;

function event(timestamp: string, more: Partial<EventEntry> = {}): EventEntry {
  made += 1;
  const times = { timestamp, received_at: timestamp, client_timestamp: timestamp };
  return { type: 'event', id: `e${made}`, event: 'open', person_id: 12, session_id: 's_1', ...times, ...more };
}

function change(timestamp: string, more: Partial<ChangeEntry> = {}): ChangeEntry {
  const ids = { event_id: 'cause', kind: 'anonymous', id: 'phone', from_person_id: 13, to_person_id: 12 };
  return { type: 'identity_change', change: 'link', timestamp, made_at: timestamp, ...ids, ...more };
}

const group = (entries: Entry[], complete = true) => grouped(entries, 12, complete, (at) => at.slice(0, 10));

const turns = (entries: Entry[], complete = true): Turn[] =>
  group(entries, complete).flatMap((day) =>
    day.stretches.flatMap((stretch) => stretch.lines.filter((line) => line.type === 'change')),
  );

const text = (turn: Turn | undefined, pairs: Pairs = new Map()) => {
  if (!turn) return '';
  const { title, more } = ofTurn(turn, pairs);
  return `${title.map((piece) => (typeof piece === 'string' ? piece : piece.id)).join('')}. ${more}`;
};

/** An anonymous phone, which then signs in as u_7. */
const SIGNS_IN: Entry[] = [
  event('2026-11-20T10:05', { anonymous_id: 'phone', user_id: 'u_7' }),
  change('2026-11-20T10:04'),
  event('2026-11-20T10:04', { id: 'cause', event: '$identify', anonymous_id: 'phone', user_id: 'u_7' }),
  event('2026-11-20T10:03', { anonymous_id: 'phone' }),
  event('2026-11-19T09:00', { anonymous_id: 'phone', session_id: 's_0' }),
];

test('a timeline is cut by day, and within a day by session', () => {
  const days = group([
    event('2026-11-20T10:05'),
    event('2026-11-20T10:04'),
    event('2026-11-20T09:00', { session_id: null }),
    event('2026-11-19T23:59', { session_id: 's_0' }),
  ]);
  expect(days.map((day) => [day.day, day.stretches.map((one) => [one.session, one.lines.length])])).toEqual([
    [
      '2026-11-20',
      [
        ['s_1', 2],
        [null, 1],
      ],
    ],
    ['2026-11-19', [['s_0', 1]]],
  ]);
});

test('what a server told amid a session is shown there, and between two sessions it stands alone', () => {
  const [day] = group([
    event('2026-11-20T10:05'),
    event('2026-11-20T10:04', { session_id: null }),
    event('2026-11-20T10:03'),
    event('2026-11-20T09:30', { session_id: null }),
    event('2026-11-20T09:00', { session_id: 's_0' }),
  ]);
  expect(day?.stretches.map((one) => [one.session, one.lines.length])).toEqual([
    ['s_1', 3],
    [null, 1],
    ['s_0', 1],
  ]);
});

test('the moment of the merge stands right behind the event that caused it, in its session', () => {
  const [today] = group(SIGNS_IN);
  expect(today?.stretches.length).toBe(1);
  expect(today?.stretches[0]?.lines.map((line) => line.type)).toEqual(['event', 'change', 'event', 'event']);
});

test('a merge says who signed in, and how many events joined', () => {
  const [turn] = turns(SIGNS_IN);
  expect(turn).toMatchObject({ came: true, as: 'u_7', joined: 2, orMore: false });
  expect(text(turn)).toBe('phone signed in as u_7. It was anonymous until then: 2 earlier events joined.');
});

test('what is not loaded yet is not counted, and that is said', () => {
  expect(text(turns(SIGNS_IN, false)[0])).toContain('at least 2 earlier events joined');
  expect(text(turns(SIGNS_IN.slice(0, 3), false)[0])).toContain('What it did before joined.');
  expect(text(turns(SIGNS_IN.slice(0, 3), true)[0])).toContain('It had done nothing before.');
});

test('events of another device, and those of after the merge, did not join with it', () => {
  const entries = [...SIGNS_IN, event('2026-11-18T09:00', { anonymous_id: 'laptop' })];
  entries.unshift(event('2026-11-20T11:00', { anonymous_id: 'phone' }));
  expect(turns(entries)[0]?.joined).toBe(2);
});

test('an event of the very same moment joined too, wherever it stands', () => {
  const same = event('2026-11-20T10:04', { anonymous_id: 'phone' });
  expect(turns([SIGNS_IN[0] as Entry, same, ...SIGNS_IN.slice(1)])[0]?.joined).toBe(3);
});

test('two users that became one, and a device that went to its earlier owner, are told as what they are', () => {
  const merged = turns([
    change('2026-11-20T10:00', { change: 'merge', kind: 'user', id: 'ann@old' }),
    event('2026-11-20T10:00', { id: 'cause', event: '$alias', user_id: 'u_7' }),
    event('2026-11-19T10:00', { user_id: 'ann@old' }),
  ]);
  const pairs = new Map([['cause', ['u_7', 'ann@old'] as const]]);
  expect(text(merged[0], pairs)).toBe(
    'u_7 and ann@old became one person. An alias said so: what both did is one story.',
  );
  expect(text(merged[0])).toContain('ann@old and another user became one person.');
  const moved = turns([change('2026-11-20T10:00', { change: 'move', from_person_id: 12, to_person_id: 14 })]);
  expect(text(moved[0])).toContain('phone went to another person. It had signed in as that one before');
  const split = turns([change('2026-11-20T10:00', { change: 'split', kind: 'user', id: 'u_8', from_person_id: 12 })]);
  expect(text(split[0])).toContain('u_8 became a person of its own again. An alias was taken back.');
});

test('a stretch lasts from its first to its last moment', () => {
  expect(lasted({ session: null, lines: [event('2026-11-20T10:05:00Z'), event('2026-11-20T10:03:30Z')] })).toBe(90);
});
