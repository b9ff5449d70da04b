import { expect, test } from 'vitest';
import { changed, moved, without } from './board';
import { tileOf } from './keep';

const tiles = [1, 2, 3].map(tileOf);
const order = (list: { saved_query: number }[]) => list.map((tile) => tile.saved_query);

test('tiles move to the left and to the right, and not beyond the ends', () => {
  expect(order(moved(tiles, 1, -1))).toEqual([2, 1, 3]);
  expect(order(moved(tiles, 1, 1))).toEqual([1, 3, 2]);
  expect(order(moved(tiles, 0, -1))).toEqual([1, 2, 3]);
  expect(order(moved(tiles, 2, 1))).toEqual([1, 2, 3]);
  expect(order(moved(tiles, 9, 1))).toEqual([1, 2, 3]);
});

test('a tile is changed or taken away, and the others stay', () => {
  expect(changed(tiles, 1, { view: 'table', wide: true })[1]).toEqual({ saved_query: 2, view: 'table', wide: true });
  expect(order(changed(tiles, 1, {}))).toEqual([1, 2, 3]);
  expect(order(without(tiles, 0))).toEqual([2, 3]);
});
