import { answer, GET, projectId } from '../api/client';
import type { Schema } from '../api/types';
import { useAnswer } from '../api/use';
import { count } from '../format';
import type { Option } from '../parts/options';
import type { Whose } from './filter';

/** What was asked for pickers is kept for a minute: every picker on a page asks for the same. */
const KEPT_MS = 60_000;

const kept = new Map<string, { at: number; answer: Promise<unknown> }>();

function remembered<T>(what: string, ask: () => Promise<T>): Promise<T> {
  const key = `${projectId.value} ${what}`;
  const known = kept.get(key);
  if (known && Date.now() - known.at < KEPT_MS) return known.answer as Promise<T>;
  const asked = ask();
  kept.set(key, { at: Date.now(), answer: asked });
  asked.catch(() => kept.delete(key));
  return asked;
}

/** Most names asked for; a name beyond them can be typed. */
const NAMES = 1000;

export const useEventNames = () => useAnswer(() => remembered('names', eventNames), []);

async function eventNames() {
  const { event_names } = await answer(GET('/api/v1/event-names', { params: { query: { limit: NAMES } } }));
  return event_names.sort((a, b) => b.count - a.count);
}

export const ANY_EVENT: Option = { value: '', name: 'Any event' };

export const eventOptions = (names: readonly Schema<'EventName'>[] | undefined): Option[] =>
  (names ?? []).map((one) => ({ value: one.event, hint: count(one.count) }));

/** The event that a page begins with: of those of the app's own the most frequent. */
export function topEvent(names: readonly Schema<'EventName'>[]): string | null {
  const own = names.find((one) => !one.event.startsWith('$') && one.count > 0);
  return (own ?? names.find((one) => one.event === '$pageview') ?? names[0])?.event ?? null;
}

/** The properties of an event (of any, if it has no name) and of persons. */
export const useProperties = (event: string | null) =>
  useAnswer(
    () =>
      remembered(`properties ${event ?? ''}`, () =>
        answer(GET('/api/v1/properties', { params: { query: event === null ? {} : { event } } })),
      ),
    [event],
  );

/** What is always known of a session. */
const OF_SESSION = ['$session_duration', '$event_count', '$entry_url', '$exit_url'];

const WHOSE = { event: 'event', person: 'person', session: 'session', cohort: 'cohort' } as const;

/** A property and whose it is, as one text. */
export const propertyKey = (type: Whose, name: string) => (name === '' ? '' : `${type} ${name}`);

export function propertyOf(key: string): { type: Whose; name: string } {
  const [type = 'event', ...name] = key.split(' ');
  return type in WHOSE && name.length > 0
    ? { type: type as Whose, name: name.join(' ') }
    : { type: 'event', name: key };
}

/** The properties for a picker, by whose they are. */
export function propertyOptions(known: Schema<'Properties'> | undefined, whose: readonly Whose[]): Option[] {
  const of = (type: Whose, names: readonly string[]) =>
    whose.includes(type) ? names.map((name) => ({ value: propertyKey(type, name), name, hint: WHOSE[type] })) : [];
  return [
    ...of('event', known?.event?.properties.map((one) => one.name) ?? []),
    ...of('person', known?.person?.properties.map((one) => one.name) ?? []),
    ...of('session', OF_SESSION),
  ];
}

/** What is known of a property: the types and the most frequent of its values. */
export function known(properties: Schema<'Properties'> | undefined, type: Whose, name: string) {
  const sampled = type === 'person' ? properties?.person : type === 'event' ? properties?.event : null;
  return sampled?.properties.find((one) => one.name === name);
}

/** How cohorts are called, where a question asks for one. */
export function useCohortName(question: unknown): (id: number) => string {
  const asks = JSON.stringify(question ?? null).includes('_cohort"');
  const { data } = useAnswer(
    async () => (asks ? remembered('cohorts', () => answer(GET('/api/v1/cohorts'))) : undefined),
    [asks],
  );
  return (id) => {
    const name = data?.cohorts.find((one) => one.id === id)?.name;
    return name === undefined ? `number ${id}` : `“${name}”`;
  };
}

export const useCohorts = () => useAnswer((signal) => answer(GET('/api/v1/cohorts', { signal })), []);
