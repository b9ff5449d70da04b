/** A client of the shipped stub, in a world that a test makes. */
import type { Options, Properties, Trailmark } from '../../npm/src/api';
import { createClient } from '../../npm/src/client';
import type { Inside } from '../../npm/src/inside';
import type { World } from '../../npm/src/world';
import type { Settings } from './file';

/** The key and the SDK's name of every device, as in the core's interpreter. */
export const KEY = 'tm_pk_vectors';
export const SDK = 'trailmark-vectors/1';

/** What pages hold, and the same client from inside. */
export interface Client {
  front: Trailmark;
  inside: Inside;
}

/** What a test says of the world; the rest is a page that knows nothing of itself. */
export type Given = Pick<World, 'now_' | 'random_' | 'storage_'> & Partial<World>;

/** A client with the settings of a file, which does nothing by itself. */
export function newClient(settings: Settings, given: Given): Client {
  const world: World = {
    host_: 'https://vectors.test',
    landing_: 'https://page.test/',
    private_: false,
    context_: {},
    page_: (): Properties => ({}),
    fetch_: () => Promise.reject(new Error('no network')),
    beacon_: () => undefined,
    load_: () => Promise.reject(new Error('no engine file')),
    ...given,
  };
  let inside: Inside | undefined;
  const front = createClient(
    () => world,
    (client) => (inside = client),
  );
  front.init(KEY, { ...options(settings), sdkName: SDK });
  if (inside === undefined) throw new Error('no client was started');
  return { front, inside };
}

/** The settings of the core by their names in `Options`: `flush_at` is `flushAt`. */
function options(settings: Settings): Options {
  const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]));
}
