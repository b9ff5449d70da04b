/** Who uses this browser, as `sdk-core/src/identity.rs` decides it. */
import { v7 } from './id';
import type { Who } from './inside';
import type { World } from './world';

/** The junk ids of `protocol/src/junk.rs`: without case, and without quotes and white space around them. */
const JUNK =
  /^[\s"'`]*(|0|-?1|anonymous(-user|_id)?|backend|distinct_?id|email|false|guest|id|nan|nil|none|not_authenticated|null|\[object object]|system|true|undefined|user|[0-]{36}|[f-]{36})[\s"'`]*$/i;

/** Why the app may not use `id` as a user's or a group's. */
export function refused(id: string): string | undefined {
  if ([...id].length > 200) return 'id_too_long';
  if (id.includes('\0')) return 'invalid_event';
  if (JUNK.test(id)) return 'junk_user_id';
  return;
}

/** Opens a new epoch: nobody is identified, and no session, group or registered property is left. */
export const nextEpoch = (world: World, { e, i, t, n, o }: Who): Who => ({
  e: e + 1,
  a: v7(world.now_(), world.random_(10)),
  i,
  ...(t && { t }),
  n,
  o,
});
