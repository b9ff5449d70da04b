/**
 * The call `capture`, which a page does not have: an event that says itself who and when, handed to the engine as a record.
 * The test plays the page that it comes from.
 */
import type { Settings, With } from './file';
import type { Random } from './world';

/** The record of a call. `draw`: what the id is made of. */
export function foreignRecord(given: With, settings: Settings, now: number, draw: Random | undefined): string {
  return JSON.stringify({
    id: given.id ?? (draw && id(now, draw(10))),
    event: given.name ?? (given.other_user_id === undefined ? '' : '$alias'),
    anonymous_id: given.anonymous_id,
    user_id: given.user_id,
    alias: given.other_user_id,
    session_id: given.session_id,
    timestamp: given.timestamp ?? new Date(now).toISOString(),
    properties: given.properties,
    context: given.context ?? settings.context,
    set: given.set,
    set_once: given.set_once,
  });
}

/** A UUIDv7 whose counter is 0. */
function id(now: number, [first = 0, ...rest]: Uint8Array): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const tail = [(first & 63) | 128, ...rest.slice(0, 7)].map(hex).join('');
  const digits = `${now.toString(16).padStart(12, '0')}7000${tail}`;
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The same id with the counter of another: in its place among those of the same millisecond. */
export function besideOf(id: string, other: string | undefined): string {
  return other?.slice(0, 14) === id.slice(0, 14) ? other.slice(0, 18) + id.slice(18) : id;
}
