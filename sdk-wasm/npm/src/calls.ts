/** The calls of pages. */
import type { Properties, Trailmark } from './api';
import { merged, full, plain } from './json';
import { nextEpoch, refused } from './who';
import type { Stub } from './world';

/** Most characters of registered properties: half an event. */
const REGISTERED_CHARS = 32768;

/** The calls of this client; without `init`. */
export function callsOf(client: Stub): Omit<Trailmark, 'init'> {
  const late = (method: string, ...args: unknown[]) =>
    new Promise<never>((settle) => {
      if (client.answer_) settle(client.answer_(method, args) as never);
      else client.waiting_.push([method, args, settle as (answer: unknown) => void]);
    });
  const register = (change: (registered: Properties) => Properties): void => {
    const who = client.who_();
    who.r = change(who.r || {});
    if (!who.o && JSON.stringify(who.r).length <= REGISTERED_CHARS) client.save_(who);
  };
  const consent = (o: 0 | 1): void => {
    const { s, ...who } = client.who_();
    client.save_({ ...who, o });
  };

  const calls: Omit<Trailmark, 'init'> = {
    track: (name, properties) => client.record_(name, properties ?? {}),
    page: (name, properties) =>
      client.record_('$pageview', properties ?? {}, { known_: { ...client.world_.page_(), ...(name && { $page_name: name }) } }),
    screen: (name, properties) => client.record_('$screen', properties ?? {}, { known_: { $screen_name: name } }),
    identify(userId, set, setOnce) {
      const id = `${userId}`;
      const reason = refused(id);
      let who = client.who_();
      if (who.o) client.ignored_++;
      else if (reason) client.refuse_(reason);
      else if (who.u != id) {
        if (who.u) who = nextEpoch(client, who);
        who.u = id;
        client.record_('$identify', null, { set, setOnce }, who);
      } else if (full(set ?? {}) || full(setOnce ?? {})) calls.setPersonProperties(set, setOnce);
    },
    setPersonProperties: (set, setOnce) => client.record_('$set', null, { set, setOnce }),
    alias: (otherUserId) => client.record_('$alias', null, { alias: `${otherUserId}` }),
    group(type, id, properties) {
      const who = client.who_();
      const reason = `${type}` ? refused(`${id}`) || refused(`${type}`) : 'missing_name';
      if (who.o) client.ignored_++;
      else if (reason) client.refuse_(reason);
      else {
        who.g = merged(who.g, { [type]: `${id}` });
        client.record_('$group', { $group_type: `${type}`, $group_id: `${id}`, $group_set: plain(properties) }, {}, who);
      }
    },
    register: (properties) => register((registered) => merged(registered, plain(properties))),
    registerOnce: (properties) => register((registered) => merged(plain(properties), registered)),
    unregister: (key) =>
      register((registered) => {
        delete registered[key];
        return registered;
      }),
    setContext: (context) => client.setContext_(plain(context)),
    reset: () => client.save_(nextEpoch(client, client.who_())),
    optOut() {
      consent(1);
      for (const key of client.store_.keys_('q.'))
        if (client.store_.get_(key)![0] != '!') client.store_.set_(key, '!opted_out');
      late('optOut');
    },
    optIn() {
      consent(0);
      late('optIn');
    },
    isOptedOut: () => !!client.who_().o,
    deleteMyData() {
      const { a, u } = client.who_();
      calls.reset();
      calls.optOut();
      late('deleteMyData', a, u);
    },
    captureException: (error, properties) => void late('captureException', error, properties),
    captureRequest: (request, properties) => void late('captureRequest', request, properties),
    flush: () => late('flush'),
    stats: () => late('stats'),
    on(what, listener) {
      const off = late('on', what, listener) as Promise<() => void>;
      return () => void off.then((off) => off());
    },
    anonymousId: () => client.who_().a,
    userId: () => client.who_().u,
    sessionId: () => client.who_().s?.[0],
    shutdown: () => late('shutdown'),
  };
  return calls;
}
