/** A world of counted bytes, a clock that is set, and a localStorage that outlives a restart. */
import type { Options } from '../src/api';
import type { Stub } from '../src/begin';
import { createInside } from '../src/complete';
import type { World } from '../src/world';

/** 2026-11-20T12:00:00.000Z, as in the conformance vectors. */
export const NOON = Date.UTC(2026, 10, 20, 12);
export const KEY = 'tm_pk_vectors';

export function newWorld(more: Partial<World> = {}) {
  let next = 0;
  const world = {
    now: NOON,
    storage_: {} as Record<string, string>,
    now_: () => world.now,
    random_: (bytes: number) => Array.from({ length: bytes }, () => next++ & 255),
    host_: 'https://example.test',
    landing_: 'https://example.test/start?utm_source=a',
    known_: {},
    page_: () => ({ $current_url: 'https://example.test/start' }),
    ...more,
  };
  return world;
}

export const open = (world: World, options: Options = {}) =>
  createInside(world, KEY, { sdkName: 'trailmark-vectors/1', ...options }) as Stub;

/** What waits, oldest first. */
export const records = (client: Stub): string[] => client.store_.keys_('q.').map((key) => client.store_.get_(key)!);
