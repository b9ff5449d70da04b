/** Notes on the time line. Pure. */
import type { ChartMark } from '../parts/chart';
import type { Answered } from './words';

/** One list for all that have none, so that no picture is drawn anew for another. */
export const NO_MARKS: readonly ChartMark[] = [];

/** Whether notes on the time line have a place in its picture. */
const overTime = ({ kind }: Answered) => kind === 'trends' || kind === 'sessions' || kind === 'lifecycle';

/** The notes in the stretch of an answer over time. */
export function marksIn(answer: Answered, marks: readonly ChartMark[]): readonly ChartMark[] {
  const { date_from: from, date_to: to } = answer.meta;
  if (!overTime(answer) || !from || !to) return NO_MARKS;
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const inside = marks.filter(({ at }) => Date.parse(at) >= begin && Date.parse(at) < end);
  return inside.length > 0 ? inside : NO_MARKS;
}
