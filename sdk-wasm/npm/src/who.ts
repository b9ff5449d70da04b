/** Who uses this browser, as `sdk-core/src/identity.rs` decides it. */
import { v7 } from './id';
import type { Who } from './inside';
import type { Stub } from './world';

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

/** An id that is no event's. */
export const newId = ({ world_ }: Stub): string => v7(world_.now_(), world_.random_(10));

/** Opens a new epoch: nobody is identified, and no session, group or registered property is left. */
export const nextEpoch = (client: Stub, { e, i, n, o }: Who): Who => ({ e: e + 1, a: newId(client), i, n, o });

/** Reads and writes the profile that all tabs share. Where consent is denied nothing is stored before it is given. */
export function openWho(client: Stub, denied: boolean): void {
  const o = denied ? 1 : 0;
  let unsaved = '';
  client.who_ = () => {
    try {
      return { o, ...JSON.parse(client.store_.get_('who') || unsaved) };
    } catch {
      const who: Who = { o, e: 0, i: newId(client), a: client.options_.anonymousId || newId(client), n: 0 };
      client.save_(who);
      return who;
    }
  };
  client.save_ = (who) => {
    const text = JSON.stringify(who);
    if (denied && who.o) {
      unsaved = text;
      client.store_.remove_('who');
    } else client.store_.set_('who', text);
  };
}
