/** Capture: what happened becomes a record, whole but for its number. The order of draws and checks is the core's. */
import type { Draft, Properties } from './api';
import { bound } from './bound';
import { createIds } from './id';
import type { More, Who } from './inside';
import { full, merged, plain } from './json';
import { touchSession } from './session';
import { newId } from './who';
import type { Stub } from './world';

/** Records between two looks at whether there are too many. */
const LOOK_EVERY = 64;

/** Gives a client what makes records. */
export function openRecorder(client: Stub): void {
  const nextId = createIds(client.world_.random_);
  let puts = 0;

  /** Hands a record to the engine, or leaves it for whoever holds the lock. */
  const put = (id: string, text: string): string | undefined => {
    if (client.take_) return client.take_(id, text);
    client.store_.set_('q.' + id, text);
    if (!(puts++ % LOOK_EVERY)) bound(client.store_);
    return;
  };

  client.record_ = (name, properties, more = {}, changed) => {
    const who = changed || client.who_();
    if (who.o) return void client.ignored_++;
    const now = client.now_();
    touchSession(who, now, client.options_, () => newId(client));
    const id = nextId(now);
    const text = recordText(client, who, now, id, name, properties, more);
    const reason = put(id, text);
    if (!changed || (!reason && text[0] != '!')) client.save_(who);
  };
  client.refuse_ = (reason) => void put('!' + Math.random(), '!' + reason);
}

/** The record of an event, or of its refusal. */
function recordText(
  client: Stub,
  who: Who,
  now: number,
  id: string,
  name: string,
  properties: Properties | null | undefined,
  more: More,
): string {
  try {
    const draft = hooked(client, draftOf(who, name, properties, more));
    if (!draft) return '!before_send';
    return JSON.stringify({
      id,
      event: draft.name,
      anonymous_id: who.a,
      user_id: who.u,
      alias: more.alias,
      session_id: who.s![0],
      timestamp: new Date(now).toISOString(),
      properties: full(draft.properties),
      context: { ...client.context_, session: { seq: who.s![1] } },
      set: full(draft.set),
      set_once: full(draft.setOnce),
    });
  } catch {
    return '!invalid_event';
  }
}

/** What the app's hook may change. */
function draftOf(who: Who, name: string, called: Properties | null | undefined, more: More): Draft {
  const registered = called === null ? {} : who.r;
  const properties = merged(merged(registered, plain(called)), more.known_ || {});
  if (called !== null && who.g) properties.$groups = who.g;
  return { name, properties, set: plain(more.set), setOnce: plain(more.setOnce) };
}

/** The draft as the app's hook leaves it; nothing if the hook drops it. A reserved name stays. */
function hooked(client: Stub, draft: Draft): Draft | null {
  const hook = client.options_.beforeSend;
  if (!hook) return draft;
  try {
    const copy = plain(draft) as unknown as Draft;
    const after = hook(copy);
    return after === null ? after : { ...copy, ...after, ...(draft.name[0] == '$' && { name: draft.name }) };
  } catch {
    // What a hook that throws has seen of the draft is thrown away.
    return draft;
  }
}
