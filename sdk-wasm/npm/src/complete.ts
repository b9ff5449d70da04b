/** Makes a client whole: what it can do beyond {@link createFront}, which is in the engine file. */
import type { Options } from './api';
import { createFront, type Stub } from './begin';
import { bound } from './bound';
import { callsOf, contextOf } from './calls';
import { hooked } from './hook';
import type { Inside } from './inside';
import { openSender } from './plain';
import { idsOf } from './ids';
import { shareId } from './share';
import { createStore } from './store';
import type { World } from './world';

/** Calls that change nothing for what comes after them, as in {@link createFront}: what is only asked, errors and requests. */
const QUESTIONS = /^(c|f|s[th])/;

/**
 * Records until the first look at whether there are too many: a flood before the engine file came is left for the engine,
 * which is about to take it. The next look comes after as many and an eighth of those there, so that what all looks cost
 * grows with the records and not with their square.
 */
const LOOK_AFTER = 64;

/** Adds the calls, the store with its bounds, the app's hook and the plain sender, and makes the calls that waited. */
export function complete(client: Stub): void {
  const store = createStore(client);
  let untilLook = LOOK_AFTER;
  const put = (id: string, text: string): unknown => {
    const record = hooked(client.options_, text);
    if (client.take_) return client.take_(id, record) || (record[0] == '!' && record);
    store.set_('q.' + id, record);
    if (!--untilLook) untilLook = LOOK_AFTER + (bound(store) >> 3);
    return record[0] == '!' && record;
  };
  client.random_ ||= (bytes) => crypto.getRandomValues(new Uint8Array(bytes));
  Object.assign(client, callsOf(client), { store_: store, put_: put, newId_: idsOf(client, client.last_ + 1), replay_: () => replay(client), context_: contextOf(client) });
  openSender(client);
  shareId(client);
  client.waiting_ = [...fromEarlierPages(client), ...client.waiting_];
  client.replay_();
}

/** Makes the calls that wait; those that nobody answers yet wait on, and what must not overtake them. */
function replay(client: Stub): void {
  const methods = client as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  const { now_ } = client;
  client.blocked_ = false;
  for (const call of client.waiting_.splice(0)) {
    const [name, args, settle, at] = call;
    client.now_ = () => at;
    try {
      if (methods[name]) settle(methods[name](...args));
      else {
        client.blocked_ ||= !QUESTIONS.test(name);
        client.waiting_.push(call);
      }
    } catch {
      // As in a page, no call throws.
    }
  }
  client.now_ = now_;
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
    return JSON.parse(line).filter(([name]: [string]) => !QUESTIONS.test(name));
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
