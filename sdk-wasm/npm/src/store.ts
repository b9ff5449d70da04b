/** Where records and the profile are kept: localStorage, and memory for what it does not take. */
import type { Stub } from './begin';
import type { Store } from './inside';

type Kept = Record<string, string>;

/** localStorage, and memory for what it refuses (it is full), so that this page can still send it. */
function overlay(storage: Kept, memory: Kept): Kept {
  return new Proxy(memory, {
    get: (_, key: string) => memory[key] ?? storage[key],
    set(_, key: string, value: string) {
      delete memory[key];
      try {
        storage[key] = value;
      } catch {
        memory[key] = value;
      }
      return true;
    },
    deleteProperty: (_, key: string) => delete memory[key] && delete storage[key],
    ownKeys: () => [...new Set([...Object.keys(storage), ...Object.keys(memory)])],
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
  });
}

/** What a copy of localStorage has that localStorage does not. */
function refused(copy: Kept, storage: Kept): Kept {
  return Object.fromEntries(Object.entries(copy).filter(([key, value]) => storage[key] !== value));
}

/** The client's store. From now on what localStorage refuses is in memory. */
export function createStore(client: Stub): Store {
  const { prefix_, storage_, copy_, private_, options_ } = client;
  const isAnonymous = [options_.consent, private_ && (options_.privacySignals || 'anonymous')].includes('anonymous');
  const lasting = storage_ && !isAnonymous ? overlay(storage_, copy_ ? refused(copy_, storage_) : {}) : undefined;
  if (lasting && (copy_ || client.kept_ === storage_)) client.kept_ = lasting;
  return {
    get lasting_() {
      return client.kept_ === lasting;
    },
    keep_(may) {
      client.kept_ = (may && lasting) || {};
    },
    get_: (key) => client.kept_[prefix_ + key] ?? null,
    set_: (key, value) => void (client.kept_[prefix_ + key] = value),
    remove_: (key) => void delete client.kept_[prefix_ + key],
    keys_: (start) =>
      Object.keys(client.kept_)
        .filter((key) => key.startsWith(prefix_ + start))
        .map((key) => key.slice(prefix_.length))
        .sort(),
  };
}
