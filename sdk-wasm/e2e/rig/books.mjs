/** The ledger: what was captured against what is stored. */
import assert from 'node:assert/strict';

/** The numbers `n` of rows, in order, to be compared with {@link upTo}. */
export const numbers = (rows) => rows.map((row) => row.properties.n).sort((a, b) => a - b);

/** 0, 1, … count - 1. */
export const upTo = (count) => Array.from({ length: count }, (_, n) => n);

/**
 * Waits until events `n` = 0 … count - 1 of this name are stored, and returns their rows: each once, no number of an
 * install given twice, every installs' own account adds up with nothing lost, and no event's text ever changed.
 */
export async function closeBooks({ project, wire }, name, count, patience) {
  const rows = await project.stored(name, count, patience);
  assert.deepEqual(numbers(rows), upTo(count));
  assertNumberedOnce(await project.rows());
  await project.settled();
  assert.deepEqual(wire.changed(), [], 'an event was sent as two different texts');
  return rows;
}

/** No two rows have the same number of the same install. */
export function assertNumberedOnce(rows) {
  const given = rows.map((row) => `${row.install_id} ${row.seq}`);
  const twice = given.filter((number, place) => given.indexOf(number) !== place);
  assert.deepEqual(twice, [], 'numbers of an install that were given twice');
}
