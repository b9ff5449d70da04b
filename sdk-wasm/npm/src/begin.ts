/**
 * What a client does from its first moment on, in the script of two kilobytes: it knows who and when, and records what
 * happens. What it can do beyond that comes with the engine file, see {@link complete}.
 */
import type { Options, Properties, Trailmark } from './api';
import { v7 } from './id';
import type { Inside, Who } from './inside';
import { full, merged, plain } from './json';
import type { World } from './world';

/** A client in the world that it is made for. */
export type Stub = Inside &
  World & {
    /** localStorage, or memory where it is refused or not wanted. */
    kept_: Record<string, string>;
  };

/**
 * A client that waits for its `init`; it then gets its world from `open`, and does what that returns. What pages hold of
 * it works at once, and never throws: calls that nobody answers yet wait.
 */
export function createFront(open: (client: Stub) => () => void): Trailmark {
  let options: Options;
  let denied: 0 | 1;
  let unsaved: string;
  let last = 0;
  let counter = 0;
  const others: Record<string, Trailmark> = {};

  const newId = (): string => v7(client.now_(), client.random_(10));
  /** An event's id. They grow also when the clock does not; the 12 bits after the time are a counter. */
  const nextId = (now: number): string => {
    const entropy = [...client.random_(10)];
    if (now > last) {
      last = now;
      // The top bit starts at zero, which leaves at least 2,048 ids for this millisecond.
      counter = ((entropy[8]! << 8) | entropy[9]!) & 2047;
    } else if (++counter > 4095) {
      last++;
      counter = 0;
    }
    return v7(last, [counter >> 8, counter, ...entropy]);
  };
  const read = (): Who => {
    try {
      return { o: denied, ...JSON.parse(client.kept_[client.prefix_ + 'who'] || unsaved) };
    } catch {
      return save({ o: denied, e: 0, i: newId(), a: options.anonymousId || newId(), n: 0 });
    }
  };
  /** Where consent is denied nothing is stored before it is given. */
  const save = (who: Who): Who => {
    unsaved = JSON.stringify(who);
    if (!denied || !who.o) client.kept_[client.prefix_ + 'who'] = unsaved;
    return who;
  };
  const defer = (name: string, args: unknown[], settle: (answer: unknown) => void = String) =>
    client.waiting_.push([name, args, settle, client.now_()]);

  const record: Inside['record_'] = (name, properties, known, person, changed) => {
    const who = changed || read();
    const now = client.now_();
    if (who.o) client.ignored_++;
    else if (client.blocked_) defer('track', [name, properties, known]);
    else {
      // A pause of 30 minutes ends a session, and none is longer than 24 hours. A clock that goes back ends none.
      if (now - who.s?.[3]! < (options.sessionIdleMs || 18e5) && now - who.s![2] < (options.sessionMaxMs || 864e5)) who.s![3] = now;
      else who.s = [newId(), ++who.n, now, now];
      const id = nextId(now);
      let text;
      try {
        text = JSON.stringify({
          id,
          event: name,
          anonymous_id: who.a,
          user_id: who.u,
          alias: person?.alias,
          session_id: who.s![0],
          timestamp: new Date(now).toISOString(),
          properties: person ? undefined : full({ ...merged(who.r, { ...plain(properties), ...known }), ...(who.g && { $groups: who.g }) }),
          context: { ...client.context_, session: { seq: who.s![1] } },
          ...person,
        });
      } catch {
        text = '!invalid_event';
      }
      if (!client.put_(id, text) || !changed) save(who);
    }
  };

  const call = (name: string, args: unknown[]): unknown => {
    const methods = client as unknown as Record<string, (...args: unknown[]) => unknown>;
    try {
      return methods[name] && (client.key_ || name == 'init')
        ? methods[name](...args)
        : new Promise((settle) => {
            if (client.answer_) return settle(client.answer_(name, args));
            // What is only asked, errors and requests change nothing for what comes after them.
            client.blocked_ ||= !/^(c|f|on|st|sh)/.test(name);
            return defer(name, args, settle);
          });
    } catch {}
    return;
  };

  const client = {
    waiting_: [] as Inside['waiting_'],
    ignored_: 0,
    now_: Date.now,
    who_: read,
    save_: save,
    put_: (id: string, text: string) => (client.kept_[client.prefix_ + 'q.' + id] = text)[0] == '!',
    record_: record,
    track: record,
    page: (name?: string, properties?: Properties) => record('$pageview', properties, { ...client.page_(), $page_name: name }),
    isOptedOut: () => !!read().o,
    anonymousId: () => read().a,
    userId: () => read().u,
    sessionId: () => read().s?.[0],
    init(writeKey: string, given: Options = {}) {
      if (client.key_) return client.key_ == writeKey ? front : (others[writeKey] ||= createFront(open)).init(writeKey, given);
      // A secret key must not go anywhere.
      if (!/^tm_pk_/.test(writeKey)) return front;
      const run = open(client);
      const consent = given.consent + '' + (client.private_ && (given.privacySignals || 'anonymous'));
      options = given;
      denied = +consent.includes('denied') as 0 | 1;
      Object.assign(client, {
        key_: writeKey,
        options_: given,
        prefix_: `tm.${writeKey.slice(-8)}.`,
        host_: given.apiHost || client.host_,
        kept_: (!consent.includes('anonymous') && client.storage_) || {},
        context_: { ...client.known_, ...given.context, library: { name: 'trailmark-web', version: '0.1.0' } },
      });
      // The hook is in the engine file; and calls that waited in vain in an earlier page come first.
      client.blocked_ = given.beforeSend || client.kept_[client.prefix_ + 'c'];
      run();
      return front;
    },
    /** Makes the waiting calls again, at their time. */
    replay_() {
      const { now_ } = client;
      for (const [name, args, settle, at] of client.waiting_.splice(0)) {
        client.now_ = () => at;
        settle(call(name, args));
      }
      client.now_ = now_;
    },
  } as unknown as Stub;

  const front = new Proxy({} as Trailmark, {
    // Nothing that one can wait for.
    get: (_, name: string) => name != 'then' && ((...args: unknown[]) => call(name, args)),
  });
  return front;
}
