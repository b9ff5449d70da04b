/** `beforeSend`: what the app may change about an event, or drop, before it is kept. */
import type { Draft, Options } from './api';
import { full } from './json';

/** The record as the app's hook leaves it. */
export function hooked({ beforeSend }: Options, record: string): string {
  if (!beforeSend || record[0] == '!') return record;
  const draft = run(beforeSend, record);
  if (!draft) return '!before_send';
  const { id, event, anonymous_id, user_id, alias, session_id, timestamp, context } = JSON.parse(record);
  try {
    return JSON.stringify({
      id,
      // A reserved name stays.
      event: event[0] == '$' ? event : draft.name,
      anonymous_id,
      user_id,
      alias,
      session_id,
      timestamp,
      properties: full(draft.properties),
      context,
      set: full(draft.set),
      set_once: full(draft.setOnce),
    });
  } catch {
    return '!invalid_event';
  }
}

/** A hook that throws changes nothing: what it has seen of the draft is thrown away. One that returns nothing keeps it. */
function run(hook: NonNullable<Options['beforeSend']>, record: string): Draft | null {
  const draft = draftOf(record);
  try {
    const after = hook(draft);
    return after === undefined ? draft : after;
  } catch {
    return draftOf(record);
  }
}

function draftOf(record: string): Draft {
  const { event, properties = {}, set = {}, set_once = {} } = JSON.parse(record);
  return { name: event, properties, set, setOnce: set_once };
}
