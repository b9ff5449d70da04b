/** All that a client knows of the world, so that a test can make another one. It is part of the client. */
import type { Properties } from './api';

export interface World {
  /** Unix ms. */
  now_(): number;
  /** So many bytes. Only ids of people, sessions and events are drawn from it, in the core's order; all else uses `Math.random`. */
  random_(bytes: number): Iterable<number>;
  /** localStorage; nothing where it is refused. */
  storage_?: Record<string, string>;
  /** Where the server is if `apiHost` does not say. */
  host_: string;
  /** The page's address. */
  landing_: string;
  /** Whether the browser's Do Not Track or Global Privacy Control says that the person does not want to be observed. */
  private_?: boolean;
  /** What is known of the circumstances without being told. */
  known_: Properties;
  /** `document`, whose cookies subdomains share. */
  cookies_?: { cookie: string };
  /** What is known of the page that is shown. */
  page_(): Properties;
  /** Of the browser, if not said. */
  fetch_?: typeof fetch;
  /** `navigator.sendBeacon`, if not said. */
  beacon_?(url: string, body: string): unknown;
}
