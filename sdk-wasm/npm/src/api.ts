/** What pages call. The same names as in every Trailmark SDK. */

/** Anything that JSON can say. What it cannot say (functions, cycles, half surrogates) never throws and costs its event at most. */
export type Properties = { [key: string]: unknown };

/** What became of the events that were captured before the flush. */
export interface FlushReport {
  /** Events that the server says are on its stable storage. */
  delivered: number;
  /** Events lost meanwhile, by reason. */
  dropped: Record<string, number>;
  /** Events still waiting; they are kept and sent later. */
  pending: number;
}

/** What this browser's client has done. At all times `captured = delivered + dropped + queued`. */
export interface Stats {
  captured: number;
  delivered: number;
  dropped: Record<string, number>;
  queued: number;
  queuedBytes: number;
  attempts: number;
  lastError: string | null;
  /** The server refuses the key; events are kept. */
  paused: boolean;
  /** `saved`: queued events survive the end of the browser. `memory`: they end with the page. */
  storage: 'saved' | 'memory' | 'failing';
  optedOut: boolean;
  /** Calls that captured nothing because the person has opted out. */
  ignored: number;
  /** Strings that were cut. */
  truncated: number;
  /** Who sends: the wasm engine of this tab, the plain sender, or another tab; `loading` until that is decided. */
  sender: 'engine' | 'plain' | 'other_tab' | 'loading';
}

/** Something went wrong that an app may want to log. */
export interface Notice {
  /** `dropped`, `truncated`, `key_refused`, … */
  kind: string;
  detail: string;
}

/** What a `beforeSend` hook may change, or drop by returning `null`. */
export interface Draft {
  name: string;
  properties: Properties;
  set: Properties;
  setOnce: Properties;
}

/** Settings of `init`. Times are in milliseconds; what is not said has the engine's default. */
export interface Options {
  /** The server's address; the origin of the script by default. */
  apiHost?: string;
  /** `granted` (the default): everything. `anonymous`: events, but nothing is stored on the device and ids end with the page. `denied`: nothing until `optIn`. */
  consent?: 'granted' | 'anonymous' | 'denied';
  /** What a browser's Do Not Track or Global Privacy Control means; `anonymous` by default. */
  privacySignals?: 'ignore' | 'anonymous' | 'denied';
  /** Also keep the anonymous id in a cookie of this domain (`.example.com`), so that its subdomains share it. */
  cookieDomain?: string;
  /** Written into every event's context. */
  context?: Properties;
  /** Changes or drops events. A hook that throws changes nothing. */
  beforeSend?: (draft: Draft) => Draft | null | undefined;
  /** What the page captures by itself; all but `requests` are on by default. */
  pageviews?: boolean;
  pageLeaves?: boolean;
  clicks?: boolean;
  vitals?: boolean;
  errors?: boolean;
  /** Where visitors came from: UTM parameters, click ids, other sites. */
  campaigns?: boolean;
  /** Times of fetch and XHR to these origins or path prefixes; `true`: the page's own origin. Off by default. */
  requests?: boolean | string[];
  /** The text of clicked elements is captured, too. Off by default: structure only. */
  clickText?: boolean;
  anonymousId?: string;
  sdkName?: string;
  flushAt?: number;
  flushIntervalMs?: number;
  maxBatchEvents?: number;
  maxQueueEvents?: number;
  maxQueueBytes?: number;
  maxAgeMs?: number;
  sessionIdleMs?: number;
  sessionMaxMs?: number;
  /**
   * Where the engine file is; beside the script by default. `false`: its wasm is not loaded, and the plain sender sends. Where
   * the file itself does not come, `track`, `page` and the ids work, and events are sent every 30 s and as the page ends;
   * other calls, and all behind them, wait for a page in which it comes.
   */
  engineUrl?: string | false;
}

/** An error that is not a JavaScript `Error`, as other languages on the web hand it over. */
export interface Thrown {
  kind: string;
  message: string;
  frames?: { function?: string; file?: string; line?: number; column?: number; in_app?: boolean }[];
}

/** What is captured of an error beside the error. */
export interface ExceptionFacts {
  thrown: Thrown[];
  handled?: boolean;
  level?: 'fatal' | 'error' | 'warning';
  fingerprint?: string;
}

/** A request that the page made. */
export interface RequestFacts {
  method: string;
  url: string;
  status?: number;
  duration_ms?: number;
  error?: string;
}

/** A client. Every call returns at once and none throws; the truth is in `stats()`, `flush()` and `on('notice')`. */
export interface Trailmark {
  /** Starts this client. A second call with the same key changes nothing; with another key it returns another client. */
  init(writeKey: string, options?: Options): Trailmark;
  track(name: string, properties?: Properties): void;
  /** `$pageview`, of the current address. */
  page(name?: string, properties?: Properties): void;
  /** `$screen`, for apps without addresses. */
  screen(name: string, properties?: Properties): void;
  identify(userId: string, set?: Properties, setOnce?: Properties): void;
  setPersonProperties(set?: Properties, setOnce?: Properties): void;
  alias(otherUserId: string): void;
  group(type: string, id: string, properties?: Properties): void;
  register(properties: Properties): void;
  registerOnce(properties: Properties): void;
  unregister(key: string): void;
  setContext(context: Properties): void;
  reset(): void;
  optOut(): void;
  optIn(): void;
  isOptedOut(): boolean;
  /** Empties this browser, and asks the server to erase the person. */
  deleteMyData(): void;
  /** An error that is captured before the engine file is there is lost if the page ends until then. */
  captureException(error: unknown, properties?: Properties): void;
  captureRequest(request: RequestFacts, properties?: Properties): void;
  /** Where the engine file does not come, nothing is hurried: it says what is `pending`. */
  flush(): Promise<FlushReport>;
  /** Where the engine file does not come: `delivered` (0: it is not counted), `dropped`, `queued` and `sender`, nothing else. */
  stats(): Promise<Stats>;
  /** Calls `listener` with what goes wrong; returns what takes it off again. */
  on(what: 'notice', listener: (notice: Notice) => void): () => void;
  anonymousId(): string | undefined;
  userId(): string | undefined;
  sessionId(): string | undefined;
  /** Stops capturing, and delivers what it can. */
  shutdown(): Promise<FlushReport>;
}
