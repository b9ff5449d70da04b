/** Ids: UUIDv7 (RFC 9562 §5.7), to the byte those of `protocol/src/id.rs`. */

/** So many unpredictable bytes. */
export type Random = (bytes: number) => Iterable<number>;

/** The UUIDv7 of a time (Unix ms) and the first ten bytes of `tail`, whose six version and variant bits are overwritten. */
export function v7(ms: number, tail: Iterable<number>): string {
  // Of each number only the last eight bits count.
  const bytes = Array.from(tail, (byte) => (256 + byte).toString(16).slice(-2));
  const hex = (2 ** 48 + ms).toString(16).slice(1) + bytes.join('');
  const variant = '89ab'[parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
