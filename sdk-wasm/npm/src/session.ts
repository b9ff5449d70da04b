/** Sessions: stretches of use, told apart by a pause; as `sdk-core/src/session.rs`. */
import type { Options } from './api';
import type { Who } from './inside';

/** A pause of 30 minutes ends a session. */
const IDLE_MS = 18e5;
/** None is longer than 24 hours. */
const MAX_MS = 864e5;

/** Goes on with the session, or begins one. A clock that goes back ends none. */
export function touchSession(who: Who, now: number, options: Options, newId: () => string): void {
  const session = who.s;
  const { sessionIdleMs = IDLE_MS, sessionMaxMs = MAX_MS } = options;
  if (session && now - session[3] < sessionIdleMs && now - session[2] < sessionMaxMs) session[3] = now;
  else who.s = [newId(), ++who.n, now, now];
}
