/** A client: the calls, on the state that its modules share. */
import type { Options, Properties } from './api';
import { callsOf } from './calls';
import type { Inside } from './inside';
import { plain } from './json';
import { openSender } from './plain';
import { openRecorder } from './record';
import { createStore } from './store';
import { openWho } from './who';
import type { Stub, World } from './world';

const SDK = 'trailmark-web/0.1.0';

/** A client that has been started, in a world of one's own. */
export const createInside = (world: World, key: string, options: Options = {}): Inside => {
  const client = createClient(() => world);
  client.init(key, options);
  return client;
};

/**
 * A client that waits for its `init`. `open` makes its world, `run` begins what it does by itself.
 */
export function createClient(open: () => World | undefined, run = (_: Stub) => {}): Stub {
  const client = {} as Stub;
  const calls: Record<string, (...args: any[]) => unknown> = callsOf(client) as never;
  for (const name in calls) {
    (client as any)[name] = (...args: unknown[]) => {
      try {
        if (client.key_) return calls[name]!(...args);
      } catch {}
      return;
    };
  }
  const others: Record<string, Stub> = {};
  client.init = (key, options = {}) => {
    if (client.key_ && client.key_ != key) return (others[key] ||= createClient(open, run)).init(key, options);
    const world = open();
    if (!client.key_ && world && key.startsWith('tm_pk_')) {
      start(client, world, key, options);
      run(client);
    }
    return client;
  };
  return client;
}

function start(client: Stub, world: World, key: string, options: Options): void {
  const signal = world.private_ && (options.privacySignals || 'anonymous');
  const consent = [options.consent, signal];
  const prefix = `tm.${key.slice(-8)}.`;
  const sdk = options.sdkName || SDK;
  const [name, version = ''] = sdk.split('/');
  Object.assign(client, {
    key_: key,
    world_: world,
    host_: options.apiHost || world.host_,
    options_: options,
    prefix_: prefix,
    landing_: world.landing_,
    sdk_: sdk,
    store_: createStore(prefix, consent.includes('anonymous') ? undefined : world.storage_),
    now_: world.now_,
    waiting_: [],
    ignored_: 0,
    setContext_(context: Properties) {
      client.context_ = { ...world.context_, ...context, library: { name, version } };
    },
  });
  openWho(client, consent.includes('denied'));
  openRecorder(client);
  openSender(client);
  client.setContext_(plain(options.context));
  client.who_();
}
