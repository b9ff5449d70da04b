/** The npm package: the same client, which a bundler puts into the app's own files. On a server all calls do nothing. */
import type { Trailmark } from './api';
import { createFront } from './begin';
import { browserWorld } from './browser';

export type * from './api';

const NOTHING = { delivered: 0, dropped: {}, pending: 0 };
const answers: Record<string, unknown> = {
  flush: Promise.resolve(NOTHING),
  shutdown: Promise.resolve(NOTHING),
  isOptedOut: false,
  on: () => {},
};

/** Where there is no page: what is called does nothing. */
const nowhere: Trailmark = new Proxy({} as Trailmark, {
  get: (_, name: string) => (name == 'then' ? undefined : () => (name == 'init' ? nowhere : answers[name])),
});

/** A client of its own, which waits for its `init`. */
export const createClient = (): Trailmark =>
  typeof window == 'undefined' ? nowhere : createFront((client) => browserWorld(client, location.href, () => import('./late')));

/** The app's client. */
export const trailmark: Trailmark = createClient();
export default trailmark;
