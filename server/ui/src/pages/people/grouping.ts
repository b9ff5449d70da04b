import type { Schema } from '../../api/types';

export type Entry = Schema<'Timeline'>['entries'][number];
export type EventEntry = Extract<Entry, { type: 'event' }>;
export type ChangeEntry = Extract<Entry, { type: 'identity_change' }>;

/** A moment in which an id became part of the person, or left it. */
export interface Turn {
  type: 'change';
  change: ChangeEntry;
  /** Whether it became part of this person, or left it. */
  came: boolean;
  /** The `user_id` as which it signed in, if the event that caused it is at hand. */
  as: string | null;
  /** How many anonymous events of before this moment a device brought along, of those that are at hand. */
  joined: number;
  /** Whether there may be more of them. */
  orMore: boolean;
}

export type Line = EventEntry | Turn;

/** What was done one after the other in one session, newest first. */
export interface Stretch {
  session: string | null;
  lines: Line[];
}

export interface Day {
  day: string;
  stretches: Stretch[];
}

/**
 * A timeline by day and session, newest first as it came. `complete`: nothing older is left to be loaded. `dayOf` is the
 * day of a time where the reader lives.
 */
export function grouped(
  entries: readonly Entry[],
  person: number,
  complete: boolean,
  dayOf: (at: string) => string,
): Day[] {
  const days: Day[] = [];
  entries.forEach((entry, at) => {
    const day = dayOf(entry.timestamp);
    const line = entry.type === 'event' ? entry : turn(entries, at, entry, person, complete);
    let last = days.at(-1);
    if (last?.day !== day) {
      last = { day, stretches: [] };
      days.push(last);
    }
    const stretch = last.stretches.at(-1);
    const session = sessionOf(entries, at) ?? aroundOf(entries, at, stretch?.session);
    if (stretch && stretch.session === session) stretch.lines.push(line);
    else last.stretches.push({ session, lines: [line] });
  });
  return days;
}

/** The session of an entry; a change has that of the event that caused it, which comes right after it. */
function sessionOf(entries: readonly Entry[], at: number): string | null {
  const entry = entries[at];
  if (entry?.type === 'event') return entry.session_id ?? null;
  return causeOf(entries, at)?.session_id ?? null;
}

/** What a server told of somebody has no session; amid one session it is shown there. */
function aroundOf(entries: readonly Entry[], at: number, open: string | null | undefined): string | null {
  if (open == null) return null;
  const earlier = entries.slice(at + 1).find((entry) => entry.type === 'event' && entry.session_id != null);
  return earlier?.type === 'event' && earlier.session_id === open ? open : null;
}

/** The event that caused a change: the first after the changes of the same moment, if it is of this person. */
function causeOf(entries: readonly Entry[], at: number): EventEntry | undefined {
  const change = entries[at];
  if (change?.type !== 'identity_change') return undefined;
  const next = entries.slice(at + 1).find((entry) => entry.type === 'event');
  return next?.id === change.event_id ? next : undefined;
}

function turn(entries: readonly Entry[], at: number, change: ChangeEntry, person: number, complete: boolean): Turn {
  const moment = Date.parse(change.timestamp);
  const before = entries.filter(
    (entry) =>
      entry.type === 'event' &&
      entry.id !== change.event_id &&
      entry.anonymous_id === change.id &&
      entry.user_id == null &&
      Date.parse(entry.timestamp) <= moment,
  );
  return {
    type: 'change',
    change,
    came: !((change.change === 'split' || change.change === 'move') && change.from_person_id === person),
    as: causeOf(entries, at)?.user_id ?? null,
    joined: before.length,
    orMore: !complete,
  };
}

/** From the first to the last moment of a stretch, in seconds. */
export function lasted(stretch: Stretch): number {
  const times = stretch.lines.map((line) => Date.parse(line.type === 'event' ? line.timestamp : line.change.timestamp));
  return (Math.max(...times) - Math.min(...times)) / 1000;
}
