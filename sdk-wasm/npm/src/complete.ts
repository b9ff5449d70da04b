/** Makes a client whole: what it can do beyond {@link createFront}, which is in the engine file. */
import type { Options } from './api';
import { createFront, type Stub } from './begin';
import { bound } from './bound';
import { callsOf, contextOf } from './calls';
import { hooked } from './hook';
import type { Inside } from './inside';
import { openSender } from './plain';
import { createStore } from './store';
import type { World } from './world';

/** Records between two looks at whether there are too many. */
const LOOK_EVERY = 64;

/** Adds the calls, the store with its bounds, the app's hook and the plain sender, and makes the calls that waited. */
export function complete(client: Stub): void {
  const { options_, storage_, kept_ } = client;
  const store = createStore(client.prefix_, kept_, kept_ == storage_);
  let puts = 0;
  const put = (id: string, text: string): unknown => {
    const record = hooked(options_, text);
    if (client.take_) return client.take_(id, record) || (record[0] == '!' && record);
    store.set_('q.' + id, record);
    if (!(puts++ % LOOK_EVERY)) bound(store);
    return record[0] == '!' && record;
  };
  Object.assign(client, callsOf(client), { store_: store, put_: put, context_: contextOf(client) });
  openSender(client);
  client.waiting_ = [...fromEarlierPages(client), ...client.waiting_];
  client.blocked_ = false;
  client.replay_();
}

/** The calls that waited in vain in pages before. Whoever asked for an answer is gone. */
function fromEarlierPages({ store_, waiting_ }: Stub): Inside['waiting_'] {
  const calls = (store_.get_('c') || '').split('\n').flatMap(read);
  store_.remove_('c');
  // A page that comes back has its own calls still.
  const known = new Set(waiting_.map(identity));
  const unanswered = calls.filter((call) => known.size < known.add(identity(call)).size);
  return unanswered.map(([name, args, , at]) => [name, args, () => {}, at]);
}

const identity = ([name, args, , at]: Inside['waiting_'][0]): string => JSON.stringify([name, args, at]);

function read(line: string): Inside['waiting_'] {
  try {
    return JSON.parse(line).filter(([name]: [string]) => !/^(c|f|on|st|sh)/.test(name));
  } catch {
    return [];
  }
}

/**
 * A client that has begun and is whole, in a world of one's own: what the conformance vectors and the unit tests call. It
 * does nothing by itself: no pageview, no lock (set `holds_`), no engine (set `take_`), no plain sending (set `plain_`).
 *
 * Draws from `world.random_`, 10 bytes each: at the first start the install id and the anonymous id; at an event a session
 * id if a session begins, then the event's; a new epoch's anonymous id before these.
 */
export function createInside(world: World, key: string, options: Options = {}): Inside {
  let inside!: Stub;
  const front = createFront((client) => {
    inside = Object.assign(client, world);
    return () => {
      complete(inside);
      inside.who_();
    };
  });
  front.init(key, options);
  return inside;
}
