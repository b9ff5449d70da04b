/** A client of the shipped stub, in a world that a test makes. */
import type { Options, Properties, Trailmark } from '../../npm/src/api';
import { createFront, type Stub } from '../../npm/src/begin';
import { complete } from '../../npm/src/complete';
import type { World } from '../../npm/src/world';
import type { Settings } from './file';

/** The key and the SDK's name of every device, as in the core's interpreter. */
export const KEY = 'tm_pk_vectors';
export const SDK = 'trailmark-vectors/1';

/** What pages hold, and the same client from inside. */
export interface Client {
  front: Trailmark;
  inside: Stub;
}

/** What a test says of the world; the rest is a page that knows nothing of itself. */
export type Given = Pick<World, 'now_' | 'random_' | 'storage_'> & Partial<World>;

/** A client with the settings of a file, whole, which does nothing by itself. */
export function newClient(settings: Settings, given: Given): Client {
  const world: World = {
    host_: 'https://vectors.test',
    landing_: 'https://page.test/',
    private_: false,
    known_: {},
    page_: (): Properties => ({}),
    fetch_: () => Promise.reject(new Error('no network')),
    beacon_: () => undefined,
    ...given,
  };
  let inside: Stub | undefined;
  const front = createFront((client) => {
    inside = Object.assign(client, world);
    return () => begin(client);
  });
  front.init(KEY, { ...options(settings), sdkName: SDK });
  if (inside === undefined) throw new Error('no client was started');
  return { front, inside };
}

/** The ids of the install and of the person are made at once, as in the core. */
function begin(client: Stub): void {
  complete(client);
  client.who_();
}

/** The settings of the core by their names in `Options`: `flush_at` is `flushAt`. */
function options(settings: Settings): Options {
  const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]));
}
