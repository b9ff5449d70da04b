/** The npm package: the same client, which a bundler puts into the app's own files. On a server all calls do nothing. */
import type { Options, Trailmark } from './api';
import { browserWorld, run } from './browser';
import { createClient as create } from './client';

export type * from './api';

const load = async ({ engineUrl }: Options) => (engineUrl ? import(/* @vite-ignore */ engineUrl) : import('./engine'));

/** A client of its own, which waits for its `init`. */
export const createClient = (): Trailmark =>
  create(() => (typeof window == 'undefined' ? undefined : browserWorld(location.origin, load)), run);

/** The app's client. */
export const trailmark: Trailmark = createClient();
export default trailmark;
