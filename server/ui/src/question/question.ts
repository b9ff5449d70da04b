/** Questions as the builder makes them: every field said, so that nothing has to be guessed. Pure. */
import type { Schema } from '../api/types';

/** A question as the server repeats it. */
export type Asked = Schema<'Question'>;

/** The server fills in events that are not said; here all are. */
type Filled<Q> = Q extends { kind: 'retention' }
  ? Q & { start_event: EventPick; return_event: EventPick }
  : Q extends { kind: 'lifecycle' }
    ? Q & { event: EventPick }
    : Q;

export type Question = Filled<Asked>;
export type Kind = Question['kind'];
export type QuestionOf<K extends Kind> = Extract<Question, { kind: K }>;
export type Filter = Schema<'Filter'>;
export type EventPick = Schema<'EventPick'>;
export type Series = Schema<'Series'>;
export type Breakdown = Schema<'Breakdown'>;
export type Exclusion = Schema<'Exclusion'>;
export type Interval = Schema<'Interval'>;

/** The kinds that are asked on the page, with what they ask. */
export const KINDS = [
  ['trends', 'Trends', 'How often, and by how many people?'],
  ['funnel', 'Funnel', 'How many get from step to step?'],
  ['retention', 'Retention', 'How many come back?'],
  ['paths', 'Paths', 'What follows what?'],
  ['lifecycle', 'Lifecycle', 'Who is new, who stays, who has gone?'],
  ['stickiness', 'Stickiness', 'On how many days do people do it?'],
  ['sessions', 'Sessions', 'How many visits, and how long?'],
] as const satisfies readonly (readonly [Kind, string, string])[];

/** What a question is about when nothing else is said. */
export interface Ground {
  /** An event that happens; none for any. */
  event: string | null;
  timezone: string;
}

export const picked = (event: string | null): EventPick => ({ event, name: null, filters: null });

export const seriesOf = (event: string | null): Series => ({
  event,
  name: null,
  math: 'unique_persons',
  math_property: null,
  filters: null,
});

/** A question of this kind that shows something at once. */
export function fresh<K extends Kind>(kind: K, ground: Ground): QuestionOf<K> {
  const { event, timezone } = ground;
  const stretch = { date_from: '-30d', date_to: null, timezone, filters: null };
  const all: { [Each in Kind]: QuestionOf<Each> } = {
    trends: {
      kind: 'trends',
      ...stretch,
      interval: 'day',
      series: [seriesOf(event)],
      formula: null,
      breakdown: [],
      compare: null,
    },
    funnel: {
      kind: 'funnel',
      ...stretch,
      steps: [picked(event), picked(null)],
      order: 'ordered',
      window: { value: 14, unit: 'day' },
      by: 'person',
      exclusions: [],
      breakdown: [],
    },
    retention: {
      kind: 'retention',
      ...stretch,
      date_from: null,
      start_event: picked(event),
      return_event: picked(null),
      type: 'first_time',
      period: 'week',
      intervals: 7,
      mode: 'exact',
      window_mode: 'calendar',
    },
    paths: { kind: 'paths', ...stretch, events: [], start: null, end: null, max_steps: 5, min_edge: 1, limit: 50 },
    lifecycle: { kind: 'lifecycle', ...stretch, interval: 'day', event: picked(null) },
    stickiness: { kind: 'stickiness', ...stretch, interval: 'day', series: [picked(event)] },
    sessions: { kind: 'sessions', ...stretch, interval: 'day', breakdown: [] },
    cohort: { kind: 'cohort', cohort: null, definition: { and: [{ performed: { event, times: { at_least: 1 } } }] } },
  };
  return all[kind] as QuestionOf<K>;
}

/** The same question in another kind: events, stretch, filters and breakdown stay. */
export function turned(question: Question, kind: Kind, ground: Ground): Question {
  if (question.kind === kind) return question;
  const events = eventsOf(question);
  const begun = fresh(kind, { ...ground, event: events[0]?.event ?? ground.event });
  const kept = { ...begun } as Record<string, unknown>;
  const before = question as Record<string, unknown>;
  for (const field of ['date_to', 'timezone', 'filters', 'breakdown', 'interval']) {
    if (field in kept && field in before) kept[field] = before[field];
  }
  if (kind !== 'retention' && typeof before.date_from === 'string' && 'date_from' in kept) {
    kept.date_from = before.date_from;
  }
  if (events.length > 0) Object.assign(kept, withEvents(kind, events));
  return kept as Question;
}

/** What a question is about. */
export function eventsOf(question: Question): EventPick[] {
  const plain = (one: { event?: string | null; filters?: Filter | null }) => ({
    ...picked(one.event ?? null),
    filters: one.filters ?? null,
  });
  switch (question.kind) {
    case 'trends':
    case 'stickiness':
      return question.series.map(plain);
    case 'funnel':
      return question.steps.map(plain);
    case 'retention':
      return [question.start_event, question.return_event].map(plain);
    case 'lifecycle':
      return [plain(question.event)];
    default:
      return [];
  }
}

function withEvents(kind: Kind, events: EventPick[]): object {
  const [first = picked(null), second] = events;
  switch (kind) {
    case 'trends':
      return { series: events.map((one) => ({ ...seriesOf(one.event), filters: one.filters })) };
    case 'stickiness':
      return { series: events };
    case 'funnel':
      return { steps: second ? events : [first, picked(null)] };
    case 'retention':
      return { start_event: first, return_event: second ?? picked(null) };
    case 'lifecycle':
      return { event: first };
    default:
      return {};
  }
}

/** The letter of a series in formulas. */
export const letter = (index: number) => String.fromCharCode(65 + index);
