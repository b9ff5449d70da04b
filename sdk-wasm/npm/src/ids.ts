/** The ids of a client that is whole: those of the core, to the byte. */
import { v7 } from './id';
import type { World } from './world';

/** Draws ids: of an event of this time (Unix ms), or of anything else. Those of events are greater than those up to `latest`. */
export function idsOf(world: World, latest = 0): (now?: number) => string {
  let last = latest;
  let counter = 0;
  /** They grow also when the clock does not; the 12 bits after the time are a counter. */
  const nextId = (now: number): string => {
    const entropy = [...world.random_(10)];
    if (now > last) {
      last = now;
      // The top bit starts at zero, which leaves at least 2,048 ids for this millisecond.
      counter = ((entropy[8]! << 8) | entropy[9]!) & 2047;
    } else if (++counter > 4095) {
      last++;
      counter = 0;
    }
    return v7(last, [counter >> 8, counter, ...entropy]);
  };
  return (now) => (now === undefined ? v7(world.now_(), world.random_(10)) : nextId(now));
}
