import { expect, test } from 'vitest';
import {
  arrive,
  before,
  EMPTY,
  emptyInbox,
  type Feed,
  type Filter,
  pause,
  ROWS_MAX,
  type Row,
  resume,
  streamPath,
  take,
  wanted,
} from './feed';

const event = (key: number, more: object = {}): Row => ({
  key,
  kind: 'event',
  data: {
    id: `id-${key}`,
    event: 'checkout',
    user_id: 'u_7',
    timestamp: '',
    received_at: '',
    client_timestamp: '',
    ...more,
  },
});

const refusal = (key: number, more: object = {}): Row => ({
  key,
  kind: 'refused_event',
  data: { received_at: '', index: 0, reason: 'junk_user_id', detail: '', event: 'checkout', user_id: 'null', ...more },
});

const request = (key: number): Row => ({
  key,
  kind: 'refused_request',
  data: { received_at: '', status: 400, code: 'invalid_json', detail: '' },
});

/** The feed after these arrived together. */
function after(feed: Feed, ...rows: Row[]): Feed {
  const inbox = emptyInbox();
  for (const row of rows) arrive(inbox, row);
  return take(feed, inbox);
}

const keys = (rows: readonly Row[]) => rows.map((row) => row.key);

test('the newest is on top, and events and refusals are counted apart', () => {
  const feed = after(after(EMPTY, event(1), refusal(2)), event(3), request(4));
  expect(keys(feed.rows)).toEqual([4, 3, 2, 1]);
  expect([feed.events, feed.refused]).toEqual([2, 2]);
});

test('however much arrives at once, the newest rows are kept and all are counted', () => {
  const many = Array.from({ length: 5 * ROWS_MAX + 7 }, (_, at) => event(at));
  const inbox = emptyInbox();
  for (const row of many) arrive(inbox, row);
  expect(inbox.rows.length).toBeLessThanOrEqual(2 * ROWS_MAX);
  const feed = take(after(EMPTY, event(-1)), inbox);
  expect(feed.rows.length).toBe(ROWS_MAX);
  expect(feed.rows[0]?.key).toBe(many.length - 1);
  expect(feed.rows.at(-1)?.key).toBe(many.length - ROWS_MAX);
  expect(feed.events).toBe(many.length + 1);
});

test('a pause holds the rows still and counts what comes, and its end shows it', () => {
  const paused = after(pause(after(EMPTY, event(1))), event(2), refusal(3));
  expect(keys(paused.rows)).toEqual([1]);
  expect(paused.meanwhile).toBe(2);
  const on = resume(paused);
  expect(keys(on.rows)).toEqual([3, 2, 1]);
  expect([on.meanwhile, on.waiting.length, on.paused, on.events, on.refused]).toEqual([0, 0, false, 2, 1]);
});

test('a long pause takes no more memory than a short one, and still counts', () => {
  let feed = pause(EMPTY);
  for (let turn = 0; turn < 5; turn++) {
    feed = after(feed, ...Array.from({ length: ROWS_MAX }, (_, at) => event(turn * ROWS_MAX + at)));
  }
  expect(feed.waiting.length).toBe(ROWS_MAX);
  expect(feed.meanwhile).toBe(5 * ROWS_MAX);
});

test('what the server gave up telling is added up, also if nothing else came', () => {
  expect(take(EMPTY, { ...emptyInbox(), missed: 12 }).missed).toBe(12);
  expect(take(EMPTY, emptyInbox())).toBe(EMPTY);
});

test('what was stored before stands below, and not twice', () => {
  const feed = before(after(EMPTY, event(10)), [{ ...event(99), data: event(10).data } as Row, event(11)]);
  expect(keys(feed.rows)).toEqual([10, 11]);
});

test('filters are those of the server, and hide no refusal that may be meant', () => {
  const filter = (more: Partial<Filter>): Filter => ({ event: '', person: '', refused: false, ...more });
  expect(wanted(event(1), filter({ event: 'checkout', person: 'u_7' }))).toBe(true);
  expect(wanted(event(1), filter({ event: 'check' }))).toBe(false);
  expect(wanted(event(1), filter({ person: 'u_8' }))).toBe(false);
  expect(wanted(event(1, { anonymous_id: 'phone' }), filter({ person: 'phone' }))).toBe(true);
  expect(wanted(event(1), filter({ refused: true }))).toBe(false);
  expect(wanted(refusal(1), filter({ refused: true, event: 'other' }))).toBe(false);
  expect(wanted(refusal(1, { event: null }), filter({ event: 'other' }))).toBe(true);
  expect(wanted(refusal(1, { user_id: null }), filter({ person: 'u_8' }))).toBe(true);
  expect(wanted(request(1), filter({ event: 'other', refused: true }))).toBe(true);
});

test('the stream is asked for exactly what is filtered by', () => {
  expect(streamPath({ event: 'a&b', person: '', refused: true })).toBe('/api/v1/live?refused=true&event=a%26b');
});
