/** How dark a cell of the heatmap is. Pure. */

/** Darkest ground: so much of the accent, in percent. With more, the text would have a contrast below 4.5 in the dark. */
const DARKEST = 50;

/** Of a share from 0 to 1: how much of the accent the ground has, in percent. */
export function shadeOf(share: number | null): number {
  if (share === null || !(share > 0)) return 0;
  // The eye tells dark grounds apart less well, so small shares get more of the scale.
  return Math.round(4 + Math.min(1, share) ** 0.7 * (DARKEST - 4));
}
