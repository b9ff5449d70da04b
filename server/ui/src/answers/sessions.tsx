import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { count, percent, seconds } from '../format';
import { Chart, type ChartMark, colourOf } from '../parts/chart';
import { type Opens, PeopleNumber } from './people';
import { sessionsPlace } from './sheet';
import { type AnswerOf, onTheClock, partsSaid } from './words';

/** Visits over time, and what the whole stretch was like. */
export function Sessions(props: { answer: AnswerOf<'sessions'>; opens: Opens; marks: readonly ChartMark[] }) {
  const { answer, opens } = props;
  const times = useMemo(() => answer.labels.map(onTheClock), [answer]);
  const lines = useMemo(
    () =>
      answer.results.map((line) => ({
        name: partsSaid(line.breakdown) || 'sessions',
        values: line.values.map((facts) => facts.sessions),
      })),
    [answer],
  );
  const [only] = answer.results;
  return (
    <>
      {answer.results.length === 1 && only && (
        <dl class="answer-facts">
          <Fact name="Sessions">
            <PeopleNumber place={only.total.sessions ? sessionsPlace(answer, 0) : undefined} opens={opens}>
              {count(only.total.sessions)}
            </PeopleNumber>
          </Fact>
          <Fact name="Median length">{seconds(only.total.median_seconds)}</Fact>
          <Fact name="Events in each">{count(only.total.events_per_session)}</Fact>
          <Fact name="Bounced">{percent(only.total.bounce_rate)}</Fact>
        </dl>
      )}
      <Chart
        label="Sessions over time; the table has the numbers"
        times={times}
        lines={lines}
        marks={props.marks}
        incompleteFrom={answer.meta.incomplete_from && onTheClock(answer.meta.incomplete_from)}
        {...(opens && {
          onPick: (at: number, line: number) =>
            answer.results[line]?.values[at]?.sessions && opens(sessionsPlace(answer, line, at)),
        })}
      />
      {answer.results.length > 1 && (
        <ul class="answer-legend">
          {answer.results.map((line, at) => (
            <li key={partsSaid(line.breakdown)}>
              <i class="dot" style={{ background: colourOf(at) }} />
              <span class="answer-name">{partsSaid(line.breakdown)}</span>
              <PeopleNumber
                place={line.total.sessions ? sessionsPlace(answer, at) : undefined}
                opens={opens}
                class="answer-total"
              >
                {count(line.total.sessions)}
              </PeopleNumber>
              <span class="muted">median {seconds(line.total.median_seconds)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt class="muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
