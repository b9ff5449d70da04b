/** Where records and the profile are kept: localStorage, and memory for what it does not take. */
import type { Store } from './inside';

/**
 * Keys below `prefix` in `storage`. What it refuses (it is full, or there is none) is kept in memory, so that this page
 * can still send it.
 */
export function createStore(prefix: string, storage: Record<string, string> | undefined): Store {
  const memory: Record<string, string> = {};
  const lasting = storage || {};
  return {
    lasting_: !!storage,
    get_: (key) => memory[prefix + key] ?? lasting[prefix + key] ?? null,
    set_(key, value) {
      delete memory[prefix + key];
      try {
        lasting[prefix + key] = value;
        return true;
      } catch {
        memory[prefix + key] = value;
        return false;
      }
    },
    remove_(key) {
      delete memory[prefix + key];
      delete lasting[prefix + key];
    },
    keys_: (start) =>
      Object.keys(lasting)
        .concat(Object.keys(memory))
        .filter((key) => key.startsWith(prefix + start))
        .map((key) => key.slice(prefix.length))
        .sort(),
  };
}
