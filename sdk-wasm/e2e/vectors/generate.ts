/** Random calls of a page, the same for the same seed. */
import type { Properties, Trailmark } from '../../npm/src/api';

/** A number of [0, 1). */
export type Draw = () => number;

/** mulberry32. */
export function seeded(seed: number): Draw {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const one = <T>(draw: Draw, of: readonly T[]): T => of[Math.floor(draw() * of.length)] as T;
const upTo = (draw: Draw, most: number): number => Math.floor(draw() * (most + 1));
const some = <T>(draw: Draw, most: number, of: () => T): T[] => Array.from({ length: upTo(draw, most) }, of);

/** Parts of texts that a name or an id may have. */
const PLAIN = ['a', 'Z', ' ', '7', '"', '\\', '/', '\n', '\t', '\u0001', '\u001f', '\u007f', 'é', 'ß', '日本', '\u2028', '🦀', '<'];
/** Parts of texts that are repaired: half surrogate pairs, and NUL. */
const BROKEN = ['\ud83e', '\udd80', '\0'];
const NUMBERS = [0, -0, 1, -1, 12.5, 0.1, 1e21, 1e-7, 2 ** 53, 2 ** 64, -1.5e300, 5e-324, NaN, Infinity];
const KEYS = ['plan', 'b', 'a', '7', '10', '__proto__', 'constructor', '$set', '', 'kéy "q"', 'toJSON2'];

const name = (draw: Draw): string => one(draw, ['checkout', '$custom', 'x']) + some(draw, 4, () => one(draw, PLAIN)).join('');
const text = (draw: Draw): string => some(draw, 6, () => one(draw, draw() < 0.1 ? BROKEN : PLAIN)).join('');

/** What an app may hand in, also what JSON leaves out or writes as something else. */
function value(draw: Draw, depth: number): unknown {
  const simple = [
    () => text(draw),
    () => one(draw, NUMBERS),
    () => draw() * 1e6,
    () => draw() < 0.5,
    () => null,
    () => undefined,
    () => new Date(upTo(draw, 2e12)),
  ];
  const nested = [() => some(draw, 3, () => value(draw, depth - 1)), () => object(draw, depth - 1)];
  return one(draw, depth > 0 ? [...simple, ...nested] : simple)();
}

/** Properties; `__proto__` is a key like any other. */
export function object(draw: Draw, depth = 3): Properties {
  const pairs = some(draw, 5, () => [draw() < 0.7 ? one(draw, KEYS) : text(draw), value(draw, depth)] as const);
  return Object.fromEntries(pairs);
}

/** Somebody's id, sometimes junk. */
const id = (draw: Draw): string => one(draw, ['u_1', 'u_2', 'null', 'ü@例え.jp', name(draw)]);
const type = (draw: Draw): string => one(draw, ['company', 'team', 'undefined', '__proto__']);
const maybe = <T>(draw: Draw, of: () => T): T | undefined => (draw() < 0.7 ? of() : undefined);

const CALLS: ((client: Trailmark, draw: Draw) => void)[] = [
  (client, draw) => client.track(name(draw), maybe(draw, () => object(draw))),
  (client, draw) => client.track(name(draw), [1] as unknown as Properties),
  (client, draw) => client.screen(text(draw), maybe(draw, () => object(draw))),
  (client, draw) => client.identify(id(draw), maybe(draw, () => object(draw)), maybe(draw, () => object(draw))),
  (client, draw) => client.setPersonProperties(object(draw), maybe(draw, () => object(draw))),
  (client, draw) => client.group(type(draw), id(draw), maybe(draw, () => object(draw))),
  (client, draw) => client.register(object(draw, 1)),
  (client, draw) => client.registerOnce(object(draw, 1)),
  (client, draw) => client.unregister(one(draw, KEYS)),
  (client, draw) => client.setContext(object(draw)),
  // An alias that the server would refuse is not compared: the plain sender leaves that to the server.
  (client, draw) => client.userId() !== undefined && client.alias(`other ${name(draw)}`),
  (client) => client.reset(),
];

/** How often: tracking is what pages do most. */
const OFTEN = [...Array.from({ length: 12 }, () => CALLS[0]!), ...CALLS];

/** Makes one call. */
export const call = (client: Trailmark, draw: Draw): void => one(draw, OFTEN)(client, draw);
