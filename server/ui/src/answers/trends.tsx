import { useMemo } from 'preact/hooks';
import { count } from '../format';
import { Chart, type ChartLine, type ChartMark, COLOURS, colourOf } from '../parts/chart';
import { type Opens, PeopleNumber } from './people';
import { trendPlace } from './sheet';
import { type AnswerOf, changeOf, changeSaid, linesSaid, onTheClock, sameLine } from './words';

/**
 * Lines over time, the period before dashed beside them, and what the whole stretch comes to. As many lines as there are
 * colours, the first ones; a table has all.
 */
export function Trends(props: { answer: AnswerOf<'trends'>; opens: Opens; marks: readonly ChartMark[] }) {
  const { answer, opens } = props;
  const times = useMemo(() => answer.labels.map(onTheClock), [answer]);
  const lines = useMemo(() => linesOf(answer), [answer]);
  return (
    <>
      <Chart
        label={`${linesSaid(answer.results).join(', ')} over time; the table has the numbers`}
        times={times}
        lines={lines}
        marks={props.marks}
        incompleteFrom={answer.meta.incomplete_from && onTheClock(answer.meta.incomplete_from)}
        {...(opens && { onPick: (at: number, line: number) => pick(answer, opens, at, line) })}
      />
      <Legend answer={answer} opens={opens} />
    </>
  );
}

function linesOf(answer: AnswerOf<'trends'>): ChartLine[] {
  const drawn = answer.results.slice(0, COLOURS);
  const names = linesSaid(answer.results);
  const now = drawn.map((line, at) => ({ name: names[at] ?? '', values: padded(line.values, answer.labels.length) }));
  const before = drawn.flatMap((line, colour) => {
    const earlier = sameLine(line, answer.previous?.results);
    const values = earlier && padded(earlier.values, answer.labels.length);
    return values ? [{ name: `${names[colour]}, before`, values, faint: true, colour }] : [];
  });
  return [...now, ...before];
}

/** The stretch before may be cut into one period more or less. */
const padded = (values: readonly (number | null)[], length: number) =>
  Array.from({ length }, (_, at) => values[at] ?? null);

function pick(answer: AnswerOf<'trends'>, opens: NonNullable<Opens>, at: number, line: number) {
  // After the lines come those of the stretch before, which are nobody's.
  if (line >= COLOURS) return;
  const place = trendPlace(answer, line, at);
  if (place && answer.results[line]?.values[at]) opens(place);
}

/** The lines by their colours, with what they come to and how that changed. */
function Legend({ answer, opens }: { answer: AnswerOf<'trends'>; opens: Opens }) {
  const names = linesSaid(answer.results);
  return (
    <ul class="answer-legend">
      {answer.results.slice(0, COLOURS).map((line, at) => {
        const before = sameLine(line, answer.previous?.results);
        return (
          <li key={names[at]}>
            <i class="dot" style={{ background: colourOf(at) }} />
            <span class="answer-name">{names[at]}</span>
            <PeopleNumber place={line.total ? trendPlace(answer, at) : undefined} opens={opens} class="answer-total">
              {count(line.total)}
            </PeopleNumber>
            {answer.previous && (
              <span class="muted" title={`${count(before?.total)} in the stretch before`}>
                {changeSaid(changeOf(line.total, before?.total))}
              </span>
            )}
          </li>
        );
      })}
      {answer.results.length > COLOURS && (
        <li class="muted">and {answer.results.length - COLOURS} more, in the table</li>
      )}
      {answer.previous && <li class="muted">┄ dashed: the stretch before</li>}
    </ul>
  );
}
