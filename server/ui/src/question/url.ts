/** A question as an address, so that it can be linked to and gone back to. Pure. */
import { fresh, KINDS, type Kind, picked, type Question, seriesOf } from './question';

/** Where nothing is said, days begin in UTC, as the server has it. */
const GROUND = { event: null, timezone: 'UTC' };

const ASKED: readonly Kind[] = [...KINDS.map(([kind]) => kind), 'cohort'];

/** The question in `q`, as JSON: what has its default is left out. */
export function toSearch(question: Question): string {
  const usual = fresh(question.kind, GROUND) as Record<string, unknown>;
  const said = Object.entries(question).filter(
    ([name, value]) => name in usual && (name === 'kind' || (value != null && !isSame(value, usual[name]))),
  );
  return new URLSearchParams({ q: JSON.stringify(withoutNothing(Object.fromEntries(said))) }).toString();
}

const isSame = (one: unknown, other: unknown) =>
  JSON.stringify(withoutNothing(one)) === JSON.stringify(withoutNothing(other));

/** The question of an address; none if it asks none. What cannot be read has its default. */
export function fromSearch(search: URLSearchParams): Question | null {
  const said = parsed(search.get('q') ?? '');
  return isObject(said) ? readQuestion(said) : null;
}

/** A question that somebody wrote, with every default in it. Whether it makes sense, the server says. */
export function readQuestion(said: Record<string, unknown>): Question | null {
  const kind = ASKED.find((kind) => kind === said.kind);
  if (!kind) return null;
  const question = fresh(kind, GROUND) as Record<string, unknown>;
  for (const [name, usual] of Object.entries(question)) {
    const read = said[name];
    if (name !== 'kind' && read != null && fits(name, usual, read)) question[name] = filled(name, kind, read);
  }
  return question as Question;
}

function parsed(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields that are `null` by default, and are not texts. */
const OBJECTS = ['filters', 'definition'];

/** Whether it is of the form that the page can show. */
function fits(name: string, usual: unknown, read: unknown): boolean {
  if (Array.isArray(usual)) return Array.isArray(read) && read.every(isObject);
  if (OBJECTS.includes(name) || isObject(usual)) return isObject(read);
  return typeof read === (name === 'cohort' ? 'number' : usual === null ? 'string' : typeof usual);
}

/** Events in an address say only what is not usual. */
function filled(name: string, kind: Kind, read: unknown): unknown {
  const event = (one: unknown) => {
    const said = isObject(one) ? one : {};
    const usual = name === 'series' && kind === 'trends' ? { ...seriesOf(null), math: 'total' } : picked(null);
    const filters = isObject(said.filters) ? said.filters : null;
    return { ...usual, ...said, event: typeof said.event === 'string' ? said.event : null, filters };
  };
  if (['series', 'steps', 'events'].includes(name)) return (read as unknown[]).map(event);
  if (['start_event', 'return_event', 'event'].includes(name)) return event(read);
  if (name === 'breakdown') return (read as object[]).map((one) => ({ type: 'event', limit: 10, ...one }));
  return read;
}

/** Without fields that are `null`: they are the defaults. A `null` that is a value stays. In one order, so that what is
 * equal is written equally, also when it has been in a database. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (!isObject(value)) return value;
  const said = Object.entries(value)
    .filter(([name, field]) => field !== null || name === 'value')
    .sort();
  return Object.fromEntries(said.map(([name, field]) => [name, withoutNothing(field)]));
}
