/**
 * What a client does from its first moment on, in the script of two kilobytes: it knows who and when, and records what
 * happens. What it can do beyond that comes with the engine file, see {@link complete}.
 */
import type { Notice, Options, Properties, Trailmark } from './api';
import type { Inside, Who } from './inside';
import { full, merged, plain } from './json';
import type { World } from './world';

/** A client in the world that it is made for. */
export type Stub = Inside &
  World & {
    /** localStorage, or memory where it is refused or not wanted. */
    kept_: Record<string, string>;
    /** What `kept_` is since localStorage refused something: a copy of it in memory, with that. */
    copy_?: Record<string, string>;
    /** 1: nothing is stored or captured before `optIn`. */
    denied_: 0 | 1;
    /** Draws an id: of an event of this time (Unix ms), or of anything else. */
    newId_(now?: number): string;
    /** The time of the latest (Unix ms). */
    last_: number;
    /** Keeps a value below a key of this client. */
    set_(key: string, value: string): void;
  };

type Methods = Record<string, (...args: unknown[]) => unknown>;

/**
 * A client that waits for its `init`; it then gets its world from `open`, and does what that returns. What pages hold of
 * it works at once, and never throws: calls that nobody answers yet wait.
 */
export function createFront(open: (client: Stub) => () => void): Trailmark {
  const others: Record<string, Trailmark> = {};

  const read = (): Who => {
    try {
      return { o: client.denied_, ...JSON.parse(client.kept_[client.prefix_ + 'who']!) };
    } catch {
      return save({ o: client.denied_, e: 0, i: client.newId_(), a: client.options_.anonymousId || client.newId_(), n: 0 });
    }
  };
  const set = (key: string, value: string): void => {
    key = client.prefix_ + key;
    try {
      client.kept_[key] = value;
    } catch {
      // It is full. From now on this page goes by a copy.
      (client.kept_ = client.copy_ = { ...client.kept_ })[key] = value;
    }
  };
  const save = (who: Who): Who => {
    set('who', JSON.stringify(who));
    return who;
  };

  const record: Inside['record_'] = (name, properties, known, person, changed) => {
    const who = changed || read();
    const now = client.now_();
    // What waits may be the person's consent.
    if (client.blocked_) client.waiting_.push(['track', [name, properties, known], String, now]);
    else if (who.o) client.ignored_++;
    else {
      // A pause of 30 minutes ends a session, and none is longer than 24 hours. A clock that goes back ends none.
      if (now - who.s?.[3]! < (client.options_.sessionIdleMs || 18e5) && now - who.s![2] < (client.options_.sessionMaxMs || 864e5)) who.s![3] = now;
      else who.s = [client.newId_(), ++who.n, now, now];
      const id = client.newId_(now);
      let text;
      try {
        text = JSON.stringify({
          id,
          event: name,
          anonymous_id: who.a,
          user_id: who.u,
          // Its place, if a person has one.
          alias: undefined,
          session_id: who.s![0],
          timestamp: new Date(now).toISOString(),
          properties: full({ ...merged(who.r, { ...plain(properties), ...known }), ...(who.g && { $groups: who.g }) }),
          context: { ...client.context_, session: { seq: who.s![1] } },
          ...person,
        });
      } catch {
        text = '!invalid_event';
      }
      if (!(client.put_(id, text) && changed)) save(who);
    }
  };

  const call = (name: string, args: unknown[]): unknown => {
    try {
      return (client as unknown as Methods)[name] && (client.key_ || /^[io]n/.test(name))
        ? (client as unknown as Methods)[name]!(...args)
        : new Promise((settle) => {
            // What is only asked, errors and requests change nothing for what comes after them.
            client.blocked_ ||= !/^(c|f|s[th])/.test(name);
            client.waiting_.push([name, args, settle, client.now_()]);
          });
    } catch {}
    return;
  };

  const client = {
    waiting_: [] as Inside['waiting_'],
    ears_: new Set() as Inside['ears_'],
    ignored_: 0,
    last_: 0,
    now_: Date.now,
    who_: read,
    save_: save,
    /**
     * UUIDv7, until those of the core come with the engine file: shorter code, and 60 random bits, as decimal digits. They
     * grow also when the clock does not.
     */
    newId_: () =>
      `0${(client.last_ = Math.max(client.now_(), ++client.last_)).toString(16)}${crypto.getRandomValues(new Uint32Array(4)).join('')}`.replace(
        /(.{8})(....)(...)(...)(.{12}).*/,
        '$1-$2-7$3-8$4-$5',
      ),
    set_: set,
    put_: (id: string, text: string) => set('q.' + id, text),
    record_: record,
    track: record,
    page: (name?: string, properties?: Properties) => record('$pageview', properties, { ...client.page_(), $page_name: name }),
    on: (_: string, listener: (notice: Notice) => void) => (client.ears_.add(listener), () => client.ears_.delete(listener)),
    isOptedOut: () => !!read().o,
    anonymousId: () => read().a,
    userId: () => read().u,
    sessionId: () => read().s?.[0],
    init(writeKey: string, given: Options = {}) {
      if (client.key_) return client.key_ == writeKey ? front : (others[writeKey] ||= createFront(open)).init(writeKey, given);
      // A secret key must not go anywhere.
      if (!/^tm_pk_/.test(writeKey)) return front;
      const run = open(client);
      const consent = [given.consent, client.private_ && (given.privacySignals || 'anonymous')];
      client.options_ = given;
      client.key_ = writeKey;
      client.prefix_ = `tm.${writeKey.slice(-8)}.`;
      client.host_ = given.apiHost || client.host_;
      client.denied_ = +consent.includes('denied') as 0 | 1;
      client.context_ = { ...client.known_, ...given.context, library: { name: 'trailmark-web', version: '0.1.0' } };
      // Where consent is denied, only the profile of one who has given it is there.
      client.kept_ = (consent.includes('anonymous') || (client.denied_ && !client.storage_?.[client.prefix_ + 'who']) ? 0 : client.storage_) || {};
      // The hook and the cookie are in the engine file; and calls that waited in vain in an earlier page come first.
      client.blocked_ ||= given.beforeSend || given.cookieDomain || client.kept_[client.prefix_ + 'c'];
      run();
      return front;
    },
  } as unknown as Stub;

  const front = new Proxy({} as Trailmark, {
    // Nothing that one can wait for.
    get: (_, name: string) => name != 'then' && ((...args: unknown[]) => call(name, args)),
  });
  return front;
}
