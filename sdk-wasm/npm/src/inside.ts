/**
 * What the stub and the engine file know of each other. Names that end with `_` are shortened by the build, the same in
 * both files.
 *
 * The stub decides who and when: it makes each event whole, but for its number, and calls that a record. Who holds the
 * browser's one lock takes all tabs' records, numbers them and sends them: the engine, or the stub's own plain sender.
 *
 * localStorage, below `tm.` and the last eight characters of the write key and a dot:
 * - `who`: {@link Who}, of all tabs.
 * - `q.` and an event's id: a record nobody has numbered yet: the event's JSON without `seq`, or `!` and the reason for
 *   which the stub refused it.
 * - `s.` and ten digits: an event that the plain sender has numbered; its bytes do not change any more.
 * - `n`: the plain sender's own install: {@link Numbers}.
 */
import type { Options, Properties, Trailmark } from './api';

/** localStorage, or memory where it is refused. */
export interface Store {
  get_(key: string): string | null;
  /** False: it is full or refused. */
  set_(key: string, value: string): boolean;
  remove_(key: string): void;
  /** All keys with this prefix, sorted. */
  keys_(prefix: string): string[];
  /** Whether it survives the page. */
  lasting_: boolean;
}

/** Who uses this browser, and when: one JSON object for all tabs. Short names, because it is rewritten by every event. */
export interface Who {
  /** epoch */
  e: number;
  /** anonymous_id */
  a: string;
  /** user_id */
  u?: string;
  /** The install id that whoever numbers events first takes. */
  i?: string | undefined;
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

/** What an event has beside its name and the properties of the call. */
export interface More {
  set?: Properties | undefined;
  setOnce?: Properties | undefined;
  /** The other user id of an `$alias`. */
  alias?: string;
  /** What the SDK itself knows of it: written over the properties of the call. */
  known_?: Properties;
}

/** A client, from inside. */
export interface Inside extends Trailmark {
  key_: string;
  host_: string;
  /** Name and version of the SDK, as the server is told. */
  sdk_: string;
  options_: Options;
  /** Of its keys in localStorage, and the name of its lock. */
  prefix_: string;
  store_: Store;
  /** Unix ms. */
  now_(): number;
  who_(): Who;
  /** Makes a record of an event of this page and takes it. `null` properties: an event of a person, without registered ones. */
  record_(name: string, properties?: Properties | null, more?: More, changed?: Who): void;
  /**
   * Set while the engine runs in this tab: takes a record, or says why not. Otherwise records go to the store. A record
   * that is `!` and a reason is one too, under an id that is no UUID.
   */
  take_: ((id: string, record: string) => string | undefined) | undefined;
  /** Calls that only the engine file answers, from before it came. */
  waiting_: [method: string, args: unknown[], settle: (answer: unknown) => void][];
  /** Set by the engine file. */
  answer_: ((method: string, args: unknown[]) => unknown) | undefined;
  /** Whether this tab holds the lock. */
  holds_: boolean;
  /** Set by the engine file: told when the lock was got (true) or is about to be given up (false). */
  onHold_: ((holds: boolean) => void) | undefined;
  /** Gives the lock up and asks for it again, behind whoever waits. */
  yield_(): void;
  /** Numbers and sends records without the engine; `leaving`: the page may end at any moment. */
  send_(leaving?: boolean): Promise<void>;
  /** The page's address when this client was started: where campaigns are read from. */
  landing_: string;
  /** The engine does not come: the plain sender works. */
  plain_: boolean;
  /** Calls without effect since the start of the page, because the person has opted out. */
  ignored_: number;
}

/** The engine file's one export. */
export type Start = (client: Inside) => void;
