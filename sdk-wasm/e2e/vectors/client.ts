/** A client of the shipped stub, in a world that a test makes. */
import type { Properties } from '../../npm/src/api';
import { createInside } from '../../npm/src/client';
import type { Stub, World } from '../../npm/src/world';
import { options } from './calls';
import type { Settings } from './file';

/** The key and the SDK's name of every device, as in the core's interpreter. */
export const KEY = 'tm_pk_vectors';
export const SDK = 'trailmark-vectors/1';

/** What a test says of the world; the rest is a page that knows nothing of itself and never gets an engine file. */
export type Given = Pick<World, 'now_' | 'random_' | 'storage_'> & Partial<World>;

/** A client with the settings of a file. */
export function newClient(settings: Settings, given: Given): Stub {
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
  return createInside(world, KEY, { ...options(settings), sdkName: SDK }) as Stub;
}
