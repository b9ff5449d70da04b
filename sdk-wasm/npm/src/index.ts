/** The npm package: the same client, which a bundler puts into the app's own files. On a server all calls do nothing. */
import type { Stats, Trailmark } from './api';
import { createFront } from './begin';
import { browserWorld, type Load } from './browser';

export type * from './api';

const NOTHING = { delivered: 0, dropped: {}, pending: 0 };
const STATS: Stats = {
  captured: 0, delivered: 0, dropped: {}, queued: 0, queuedBytes: 0, attempts: 0, lastError: null, paused: false, storage: 'memory',
  optedOut: false, ignored: 0, truncated: 0, sender: 'loading',
};
const answers: Record<string, unknown> = {
  flush: Promise.resolve(NOTHING),
  shutdown: Promise.resolve(NOTHING),
  stats: Promise.resolve(STATS),
  isOptedOut: false,
  on: () => {},
};

/** Where there is no page: what is called does nothing. */
const nowhere: Trailmark = new Proxy({} as Trailmark, {
  get: (_, name: string) => (name == 'then' ? undefined : () => (name == 'init' ? nowhere : answers[name])),
});

/** The app's bundler has the engine file, and must leave another one alone. */
const load: Load = (url) => (url ? import(/* webpackIgnore: true */ /* @vite-ignore */ url) : import('./late'));

/** A client of its own, which waits for its `init`. */
export const createClient = (): Trailmark =>
  typeof window == 'undefined' ? nowhere : createFront((client) => browserWorld(client, location.href, load));

/** The app's client. */
export const trailmark: Trailmark = createClient();
export default trailmark;
