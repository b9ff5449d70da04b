/** The order of a dashboard's tiles. Pure. */
import type { Tile } from './keep';

/** The tiles with the one at `at` moved by `by` places; the same list if there is no such place. */
export function moved(tiles: readonly Tile[], at: number, by: number): Tile[] {
  const to = at + by;
  const tile = tiles[at];
  if (!tile || to < 0 || to >= tiles.length) return [...tiles];
  const others = tiles.filter((_, other) => other !== at);
  return [...others.slice(0, to), tile, ...others.slice(to)];
}

export const changed = (tiles: readonly Tile[], at: number, change: Partial<Tile>): Tile[] =>
  tiles.map((tile, other) => (other === at ? { ...tile, ...change } : tile));

export const without = (tiles: readonly Tile[], at: number): Tile[] => tiles.filter((_, other) => other !== at);
