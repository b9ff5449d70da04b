/** Ids: UUIDv7 (RFC 9562 §5.7), to the byte those of `protocol/src/id.rs`. */

/** So many unpredictable bytes. */
export type Random = (bytes: number) => Iterable<number>;

/** The UUIDv7 of a time (Unix ms) and the first ten bytes of `tail`, whose six version and variant bits are overwritten. */
export function v7(ms: number, tail: Iterable<number>): string {
  const bytes = Uint8Array.from(tail);
  bytes[0] = (bytes[0]! & 15) | 112;
  bytes[2] = (bytes[2]! & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  return (ms.toString(16).padStart(12, '0') + hex).replace(/(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
}

/**
 * Makes ids of events that grow strictly within one page, also when the clock stands still or goes back: the 12 bits
 * after the time are a counter; when they overflow, the time moves on by 1 ms.
 */
export function createIds(random: Random): (now: number) => string {
  let last = 0;
  let counter = 0;
  return (now) => {
    const entropy = [...random(10)];
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
}
