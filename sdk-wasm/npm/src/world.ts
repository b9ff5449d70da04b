/** All that a client knows of the world, so that a test can make another one. */
import type { Options, Properties } from './api';
import type { Random } from './id';
import type { Inside, Start } from './inside';

export interface World {
  /** Unix ms. */
  now_(): number;
  /** Only ids of people, sessions and events are drawn from it, in the core's order; all else uses `Math.random`. */
  random_: Random;
  /** localStorage; nothing where it is refused. */
  storage_: Record<string, string> | undefined;
  /** Where the server is if `apiHost` does not say. */
  host_: string;
  /** The page's address. */
  landing_: string;
  /** What a browser's Do Not Track or Global Privacy Control says: the person does not want to be observed. */
  private_: boolean;
  /** What is known of the circumstances without being told. */
  context_: Properties;
  /** What is known of the page that is shown. */
  page_(): Properties;
  fetch_: typeof fetch;
  /** `navigator.sendBeacon`. */
  beacon_(url: string, body: string): void;
  /** Gets the engine file. */
  load_(options: Options): Promise<{ start: Start }>;
}

/** A client with what only the stub's own modules need of it. */
export interface Stub extends Inside {
  world_: World;
  /** Name and version of the SDK. */
  sdk_: string;
  /** Writes the profile. */
  save_(who: import('./inside').Who): void;
  /** Counts an event that was never built. */
  refuse_(reason: string): void;
  /** The circumstances of all events: what is known, what the app says, and the library. */
  context_: Properties;
  setContext_(context: Properties | undefined): void;
}
