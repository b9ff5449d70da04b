import type { Schema } from '../../api/types';

/** Something that arrived: an event, or one or a whole request that was refused. */
export type Arrival =
  | { kind: 'event'; data: Schema<'LiveEvent'> }
  | { kind: 'refused_event'; data: Schema<'LiveRefusal'> }
  | { kind: 'refused_request'; data: Schema<'RefusedRequest'> };

/** An arrival with a number of its own: what a client sends again has the same id twice. */
export type Row = Arrival & { key: number };

/** So many rows are kept: some ten screens of them, and half a megabyte of usual events. */
export const ROWS_MAX = 500;

/** What is asked for. Texts are compared whole, as the server does. */
export interface Filter {
  event: string;
  person: string;
  refused: boolean;
}

/** What has arrived, newest first. */
export interface Feed {
  rows: readonly Row[];
  /** What arrived while it was paused, newest first, of at most as many rows. */
  waiting: readonly Row[];
  paused: boolean;
  events: number;
  refused: number;
  /** How much arrived during the pause, shown or not. */
  meanwhile: number;
  /** What the server gave up telling, because this page was too slow. */
  missed: number;
}

export const EMPTY: Feed = { rows: [], waiting: [], paused: false, events: 0, refused: 0, meanwhile: 0, missed: 0 };

/** What came since the last look: the newest rows of it, and how much it was in all. */
export interface Inbox {
  rows: Row[];
  events: number;
  refused: number;
  missed: number;
}

export const emptyInbox = (): Inbox => ({ rows: [], events: 0, refused: 0, missed: 0 });

/** Puts an arrival into the inbox, in place: this is called thousands of times a second. */
export function arrive(inbox: Inbox, row: Row) {
  if (row.kind === 'event') inbox.events += 1;
  else inbox.refused += 1;
  inbox.rows.push(row);
  // Twice the bound, so that shifting the rest is rare.
  if (inbox.rows.length > 2 * ROWS_MAX) inbox.rows.splice(0, inbox.rows.length - ROWS_MAX);
}

/** The feed with what is in the inbox. */
export function take(feed: Feed, inbox: Inbox): Feed {
  const came = inbox.events + inbox.refused;
  if (came === 0 && inbox.missed === 0) return feed;
  const newest = inbox.rows.slice(-ROWS_MAX).reverse();
  const onto = (rows: readonly Row[]) => [...newest, ...rows].slice(0, ROWS_MAX);
  return {
    ...feed,
    ...(feed.paused ? { waiting: onto(feed.waiting), meanwhile: feed.meanwhile + came } : { rows: onto(feed.rows) }),
    events: feed.events + inbox.events,
    refused: feed.refused + inbox.refused,
    missed: feed.missed + inbox.missed,
  };
}

export const pause = (feed: Feed): Feed => ({ ...feed, paused: true });

/** Goes on, with what came meanwhile on top. */
export function resume(feed: Feed): Feed {
  const rows = [...feed.waiting, ...feed.rows].slice(0, ROWS_MAX);
  return { ...feed, rows, waiting: [], paused: false, meanwhile: 0 };
}

/** Puts what was stored before below what has arrived since, without what is there already. */
export function before(feed: Feed, stored: readonly Row[]): Feed {
  const known = new Set([...feed.rows, ...feed.waiting].map((row) => row.kind === 'event' && row.data.id));
  const older = stored.filter((row) => row.kind !== 'event' || !known.has(row.data.id));
  return { ...feed, rows: [...feed.rows, ...older].slice(0, ROWS_MAX) };
}

/** Whether a row is asked for. A refusal too broken to say its name or an id may be the one that is looked for. */
export function wanted(row: Arrival, filter: Filter): boolean {
  if (row.kind === 'refused_request') return true;
  const { event, anonymous_id, user_id } = row.data;
  if (row.kind === 'event' && filter.refused) return false;
  if (row.kind === 'refused_event' && (event == null || (anonymous_id == null && user_id == null))) return true;
  return (
    (filter.event === '' || event === filter.event) &&
    (filter.person === '' || anonymous_id === filter.person || user_id === filter.person)
  );
}

/** The stream that tells what is asked for. */
export function streamPath(filter: Filter): string {
  const query = new URLSearchParams({ refused: 'true' });
  if (filter.event !== '') query.set('event', filter.event);
  if (filter.person !== '') query.set('person', filter.person);
  return `/api/v1/live?${query}`;
}
