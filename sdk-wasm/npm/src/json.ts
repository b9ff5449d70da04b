/** Objects as JSON has them. */
import type { Properties } from './api';

/**
 * What JSON says of an object, and nothing of it is the app's any more; `{}` of nothing.
 *
 * @throws if it is no object, or nothing that JSON can say (a cycle, a BigInt, a `toJSON` that throws).
 */
export function plain(object: object | null | undefined): Properties {
  const text = JSON.stringify(object ?? {});
  return JSON.parse(text[0] == '{' ? text : '');
}

/** Both as one; the keys of `above` win and come last, as in the core. */
export function merged(below: Properties | undefined, above: Properties): Properties {
  const kept = { ...below };
  for (const key in above) delete kept[key];
  return { ...kept, ...above };
}

/** Nothing, if nothing is in it: then it is not written. */
export function full(object: Properties): Properties | undefined {
  for (const _ in object) return object;
  return;
}
