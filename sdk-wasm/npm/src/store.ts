/** Where records and the profile are kept: localStorage, and memory for what it does not take. */
import type { Store } from './inside';

/** Keys below `prefix` in `kept`. What it refuses (it is full) is kept in memory, so that this page can still send it. */
export function createStore(prefix: string, kept: Record<string, string>, lasting_: boolean): Store {
  const memory: Record<string, string> = {};
  return {
    lasting_,
    get_: (key) => memory[prefix + key] ?? kept[prefix + key] ?? null,
    set_(key, value) {
      delete memory[prefix + key];
      try {
        kept[prefix + key] = value;
        return true;
      } catch {
        memory[prefix + key] = value;
        return false;
      }
    },
    remove_(key) {
      delete memory[prefix + key];
      delete kept[prefix + key];
    },
    keys_: (start) =>
      Object.keys(kept)
        .concat(Object.keys(memory))
        .filter((key) => key.startsWith(prefix + start))
        .map((key) => key.slice(prefix.length))
        .sort(),
  };
}
