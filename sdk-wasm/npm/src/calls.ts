/** The calls of pages that come with the engine file. */
import type { Properties } from './api';
import type { Stub } from './begin';
import { bound } from './bound';
import type { Who } from './inside';
import { full, merged, plain } from './json';
import { tooMuch } from './shape';
import { nextEpoch, refused } from './who';

/** Most characters of registered properties: half an event. */
const REGISTERED_CHARS = 32768;

/** Person properties as the wire has them. What JSON cannot say fails when the event is written, and costs it. */
function field(object: Properties | null | undefined): Properties | undefined {
  try {
    return full(plain(object));
  } catch (error) {
    const toJSON = () => {
      throw error;
    };
    return { toJSON };
  }
}

/** The calls of this client. */
export function callsOf(client: Stub) {
  /** Its key is behind that of the latest record, so that it is numbered in its place. */
  const refuse = (reason: string) => {
    const [latest = ''] = client.store_.keys_('q.').slice(-1);
    client.put_(latest.slice(2, 38) + '!' + Math.random(), '!' + reason);
  };
  const person = (name: string, set?: Properties, setOnce?: Properties, who?: Who) =>
    client.record_(name, null, undefined, { set: field(set), set_once: field(setOnce), properties: undefined }, who);

  /** Changes who it is, with an event, if the ids may be used. */
  const change = (reason: string | undefined, then: (who: Who) => void): void => {
    const who = client.who_();
    if (who.o) client.ignored_++;
    else if (reason) refuse(reason);
    else then(who);
  };
  const register = (to: (registered: Properties) => Properties): void => {
    const who = client.who_();
    const r = to(who.r || {});
    if (!who.o && !tooMuch(r) && JSON.stringify(r).length <= REGISTERED_CHARS) client.save_({ ...who, r });
  };
  const consent = (o: 0 | 1): void => {
    const { s, ...who } = client.who_();
    client.save_({ ...who, o });
  };

  const calls = {
    screen: (name: string, properties?: Properties) => client.record_('$screen', properties, { $screen_name: name }),
    identify: (userId: string, set?: Properties, setOnce?: Properties) =>
      change(refused(`${userId}`), (who) => {
        if (who.u != userId) person('$identify', set, setOnce, { ...(who.u ? nextEpoch(client, who) : who), u: `${userId}` });
        else if (full({ ...set, ...setOnce })) person('$set', set, setOnce);
      }),
    setPersonProperties: (set?: Properties, setOnce?: Properties) => person('$set', set, setOnce),
    alias: (otherUserId: string) => client.record_('$alias', null, undefined, { alias: `${otherUserId}`, properties: undefined }),
    group: (type: string, id: string, properties?: Properties) =>
      change(`${type}` ? refused(`${id}`) || refused(`${type}`) || unsayable(properties) : 'missing_name', (who) => {
        const known = { $group_type: `${type}`, $group_id: `${id}`, $group_set: plain(properties) };
        client.record_('$group', known, undefined, undefined, { ...who, g: merged(who.g, { [type]: `${id}` }) });
      }),
    register: (properties: Properties) => register((registered) => merged(registered, plain(properties))),
    registerOnce: (properties: Properties) => register((registered) => merged(plain(properties), registered)),
    unregister: (key: string) =>
      register(({ ...registered }) => {
        delete registered[key];
        return registered;
      }),
    setContext(context: Properties) {
      const said = plain(context);
      if (!tooMuch(said)) client.options_ = { ...client.options_, context: said };
      client.context_ = contextOf(client);
    },
    reset: () => void client.save_(nextEpoch(client, client.who_())),
    optOut() {
      bound(client.store_, '!opted_out', 0);
      const who = client.who_();
      // Where consent is denied, what was stored while it was given goes.
      if (client.denied_) {
        client.store_.remove_('who');
        client.store_.keep_(false);
        client.save_(who);
      }
      consent(1);
    },
    optIn() {
      const { lasting_ } = client.store_;
      const who = client.who_();
      if (client.denied_) client.store_.keep_(true);
      client.save_(who);
      consent(0);
      // From now on all tabs have one lock.
      if (client.store_.lasting_ !== lasting_) client.yield_?.();
    },
  };
  return calls;
}

function unsayable(properties: Properties | null | undefined): string | undefined {
  try {
    plain(properties);
    return;
  } catch {
    return 'invalid_event';
  }
}

/** The circumstances: what is known, what the app says, and the library; the session is added to each event. */
export function contextOf({ known_, options_ }: Stub): Properties {
  const [name, version = ''] = (options_.sdkName || 'trailmark-web/0.1.0').split('/');
  return { ...known_, ...options_.context, library: { name, version } };
}
