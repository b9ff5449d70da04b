import { useMemo } from 'preact/hooks';
import { count } from '../format';
import { Chart, type ChartMark, colourOf } from '../parts/chart';
import { type Opens, PeopleNumber } from './people';
import { trendPlace } from './sheet';
import { type AnswerOf, changeOf, changeSaid, lineSaid, onTheClock } from './words';

/** Lines over time, the period before dashed beside them, and what the whole stretch comes to. */
export function Trends(props: { answer: AnswerOf<'trends'>; opens: Opens; marks: readonly ChartMark[] }) {
  const { answer, opens } = props;
  const times = useMemo(() => answer.labels.map(onTheClock), [answer]);
  const lines = useMemo(() => linesOf(answer), [answer]);
  return (
    <>
      <Chart
        label={`${answer.results.map(lineSaid).join(', ')} over time; the table has the numbers`}
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

function linesOf(answer: AnswerOf<'trends'>) {
  const now = answer.results.map((line) => ({
    name: lineSaid(line),
    values: padded(line.values, answer.labels.length),
  }));
  const before = answer.previous?.results.map((line) => ({
    name: `${lineSaid(line)}, before`,
    values: padded(line.values, answer.labels.length),
    faint: true,
    colour: Math.max(
      0,
      now.findIndex((one) => one.name === lineSaid(line)),
    ),
  }));
  return [...now, ...(before ?? [])];
}

/** The stretch before may be cut into one period more or less. */
const padded = (values: readonly (number | null)[], length: number) =>
  Array.from({ length }, (_, at) => values[at] ?? null);

function pick(answer: AnswerOf<'trends'>, opens: NonNullable<Opens>, at: number, line: number) {
  const place = trendPlace(answer, line, at);
  if (place && answer.results[line]?.values[at]) opens(place);
}

/** The lines by their colours, with what they come to and how that changed. */
function Legend({ answer, opens }: { answer: AnswerOf<'trends'>; opens: Opens }) {
  return (
    <ul class="answer-legend">
      {answer.results.map((line, at) => {
        const before = answer.previous?.results.find((one) => lineSaid(one) === lineSaid(line));
        return (
          <li key={lineSaid(line)}>
            <i class="dot" style={{ background: colourOf(at) }} />
            <span class="answer-name">{lineSaid(line)}</span>
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
      {answer.previous && <li class="muted">┄ dashed: the stretch before</li>}
    </ul>
  );
}
