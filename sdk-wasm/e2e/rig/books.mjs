/** The ledger: what was captured against what is stored. */
import assert from 'node:assert/strict';

/** The numbers `n` of rows, in order, to be compared with {@link upTo}. */
export const numbers = (rows) => rows.map((row) => row.properties.n).sort((a, b) => a - b);

/** 0, 1, … count - 1. */
export const upTo = (count) => Array.from({ length: count }, (_, n) => n);

/**
 * What holds of every ledger: events `n` = 0 … count - 1 of this name are stored, each once. Waits until they are, and
 * returns their rows.
 */
export async function assertStored({ project }, name, count, patience) {
  const rows = await project.stored(name, count, patience);
  assert.deepEqual(numbers(rows), upTo(count));
  return rows;
}

/**
 * Waits until events `n` = 0 … count - 1 of this name are stored, and returns their rows: each once, no number of an
 * install given twice, every installs' own account adds up with nothing lost, and no event's text ever changed.
 */
export async function closeBooks(scene, name, count, patience) {
  const { project, wire } = scene;
  const rows = await assertStored(scene, name, count, patience);
  assertNumberedOnce(await project.rows());
  await project.settled();
  assert.deepEqual(wire.changed(), [], 'an event was sent as two different texts');
  return rows;
}

/** No two rows have the same number of the same install. */
export function assertNumberedOnce(rows) {
  const given = rows.filter((row) => row.seq !== null).map((row) => `${row.install_id} ${row.seq}`);
  const twice = given.filter((number, place) => given.indexOf(number) !== place);
  assert.deepEqual(twice, [], 'numbers of an install that were given twice');
}
