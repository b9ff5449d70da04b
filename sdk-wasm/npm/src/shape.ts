/** Whether an object is beyond what one event may have: 512 keys, nested ones counted, and 32 levels. */
import type { Properties } from './api';

const KEYS = 512;
const DEPTH = 32;

export function tooMuch(object: Properties): boolean {
  let keys = 0;
  const depth = (value: unknown): number => {
    if (!value || typeof value != 'object') return 0;
    const inner = Object.values(value);
    if (!Array.isArray(value)) keys += inner.length;
    return 1 + inner.reduce((deepest: number, each) => Math.max(deepest, depth(each)), 0);
  };
  return depth(object) > DEPTH || keys > KEYS;
}
