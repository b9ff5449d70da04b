/**
 * What the stub and the engine file know of each other. Names that end with `_` are shortened by the build, the same in
 * both files.
 *
 * The stub decides who and when: it makes each event whole, but for its number, and calls that a record. Who holds the
 * browser's one lock takes all tabs' records, numbers them and sends them: the engine, or the plain sender.
 *
 * The script of two kilobytes (`begin.ts`) can `init`, `track`, `page` and say who it is. The engine file, which it gets at
 * once, makes the client whole (`prepare.ts`, the first thing its `start` does): all other calls, the store with its
 * bounds, the lock, the plain sender. Until then calls that may change who it is wait, and all behind them; a page that
 * ends keeps them below `c`. A page that ends sends a copy of its records, without numbers, unless engine or plain sender do:
 * they stay, and whoever numbers them sends them again, under the install that the copy named.
 *
 * localStorage, below `tm.` and the last eight characters of the write key and a dot:
 * - `who`: {@link Who}, of all tabs.
 * - `q.` and an event's id: a record nobody has numbered yet: the event's JSON without `seq`, or `!` and the reason for
 *   which the stub refused it.
 * - `s.` and ten digits: an event that the plain sender has numbered; its bytes do not change any more.
 * - `n`: the plain sender's own install: {@link Numbers}.
 * - `c`: waiting calls of pages that ended before the engine file came: a line of JSON for each page.
 * - `l`: the lease, where there are no Web Locks.
 * - `x`: whose data is to be erased, until the engine has the request.
 * - `first`: the anonymous id of which the first touch has been told.
 */
import type { Notice, Options, Properties, Trailmark } from './api';

/** localStorage, or memory where it is refused. */
export interface Store {
  get_(key: string): string | null;
  set_(key: string, value: string): void;
  remove_(key: string): void;
  /** All keys with this prefix, sorted. */
  keys_(prefix: string): string[];
  /** Whether it survives the page. */
  readonly lasting_: boolean;
  /** Where consent is denied: what is kept from now on may survive the page, or may not. */
  keep_(may: boolean): void;
}

/** Who uses this browser, and when: one JSON object for all tabs. Short names, because it is rewritten by every event. */
export interface Who {
  /** epoch */
  e: number;
  /** anonymous_id */
  a: string;
  /** user_id */
  u?: string;
  /**
   * The install that numbers this browser's events. The first to number takes the id that was made with the profile; whoever
   * numbers with another one writes that here, so that a page that ends can say whose its records will be.
   */
  i: string;
  /** 1: `i` is taken. Should the browser lose the numbers, they begin anew under another id. */
  t?: 1;
  /** Sessions ever begun. */
  n: number;
  /** The session: id, its number, its start and its latest event (Unix ms). */
  s?: [id: string, seq: number, started: number, latest: number];
  /** Registered properties. */
  r?: Properties;
  /** Groups. */
  g?: Properties;
  /** 1: the person has opted out; 0: has opted in, where `consent` is `denied`. */
  o?: 0 | 1 | undefined;
}

/** The plain sender's numbers. */
export interface Numbers {
  /** install_id */
  i: string;
  captured: number;
  delivered: number;
  dropped: Record<string, number>;
}

/** What an event of a person says, in the wire's names. Such an event carries nothing registered. */
export interface Person {
  /** The other user id of an `$alias`. */
  alias?: string;
  set?: Properties | undefined;
  set_once?: Properties | undefined;
  /** It has none. */
  properties: undefined;
}

/** A client, from inside. */
export interface Inside extends Trailmark {
  key_: string;
  host_: string;
  options_: Options;
  /** Of its keys in localStorage, and the name of its lock. */
  prefix_: string;
  store_: Store;
  /** Unix ms. */
  now_(): number;
  who_(): Who;
  /** Writes the profile. */
  save_(who: Who): Who;
  /** The circumstances of all events, but for the session. */
  context_: Properties;
  /**
   * Makes a record of an event of this page and takes it. `known`: what the SDK itself knows of it, written over the
   * properties of the call. `changed`: the profile as it is if the event is not refused.
   */
  record_(name: string, properties?: Properties | null, known?: Properties, person?: Person, changed?: Who): void;
  /** Hands a record to the engine, or leaves it for whoever holds the lock. Says whether, or why, it was refused. */
  put_(id: string, record: string): unknown;
  /**
   * Set while the engine runs in this tab: takes a record, or says why not. Otherwise records go to the store. A record
   * that is `!` and a reason is one too, under an id that is no UUID.
   */
  take_: ((id: string, record: string) => string | undefined) | undefined;
  /** Calls that nobody could answer yet, and what was called behind them, each with its time. */
  waiting_: [method: string, args: unknown[], settle: (answer: unknown) => void, at: number][];
  /** One of them may change who it is or what is written into events: what comes behind it waits, too. */
  blocked_: unknown;
  /** Makes the waiting calls again, at their time; those that nobody answers yet wait on. Of the engine file. */
  replay_(): void;
  /** Whether this tab holds the lock. */
  holds_: boolean;
  /** Set by the engine file: told when the lock was got (true) or is about to be given up (false). */
  onHold_: ((holds: boolean) => void) | undefined;
  /** Gives the lock up and asks for it again, behind whoever waits. */
  yield_(): void;
  /** Numbers and sends records without the engine; `leaving`: the page may end at any moment. */
  send_(leaving?: boolean): Promise<void>;
  /**
   * The page's goodbye, the one listener to `pagehide`: Chromium calls a window's listeners in the order in which they came.
   * Whoever has something to do then wraps it, and does its own first; so the latest is the first:
   * 1. The page features record the last that they know.
   * 2. The engine at work sends what it has.
   * 3. The plain sender does, where it works; where neither does, the stub sends a copy of what waits.
   * 4. The lock is given up: `onHold_(false)`.
   */
  leave_(): void;
  /** Who listens to notices: what `on` was called with. */
  ears_: Set<(notice: Notice) => void>;
  /** The page's address when this client was started: where campaigns are read from. */
  landing_: string;
  /** The engine does not come: the plain sender works. */
  plain_: boolean;
  /** Calls without effect since the start of the page, because the person has opted out. */
  ignored_: number;
}

/** The engine file's one export. Works in several tasks; rejects if the browser lacks what it needs. */
export type Start = (client: Inside) => Promise<void>;
