import { count, percent, seconds } from '../format';
import { colourOf } from '../parts/chart';
import { type Opens, PeopleNumber } from './people';
import { dropped, funnelPlace } from './sheet';
import { type AnswerOf, partsSaid } from './words';

type Line = AnswerOf<'funnel'>['results'][number];

/** How many are left at each step, and how many were lost before it. */
export function Funnel({ answer, opens }: { answer: AnswerOf<'funnel'>; opens: Opens }) {
  const steps = answer.results[0]?.steps ?? [];
  const broken = answer.results.some((line) => line.breakdown?.length);
  return (
    <>
      <ol class="funnel">
        {steps.map((step, index) => (
          <li key={index}>
            <h3>
              <span class="muted">{index + 1}</span> {step.name}
            </h3>
            {answer.results.map((line, at) => (
              <Step key={at} {...{ answer, line, at, index, opens, broken }} />
            ))}
          </li>
        ))}
      </ol>
      <Whole answer={answer} />
    </>
  );
}

function Step(props: {
  answer: AnswerOf<'funnel'>;
  line: Line;
  at: number;
  index: number;
  opens: Opens;
  broken: boolean;
}) {
  const { answer, line, at, index, opens } = props;
  const step = line.steps[index];
  if (!step) return null;
  const lost = dropped(line.steps, index);
  return (
    <div class="funnel-step">
      {props.broken && <span class="funnel-part">{partsSaid(line.breakdown)}</span>}
      <div class="funnel-bar">
        <div style={{ width: `${(step.of_first ?? 0) * 100}%`, background: colourOf(at) }} />
      </div>
      <p class="funnel-facts">
        <PeopleNumber place={step.count ? funnelPlace(answer, at, index, 'converted') : undefined} opens={opens}>
          <strong>{count(step.count)}</strong> {percent(step.of_first)}
        </PeopleNumber>
        {lost !== null && (
          <PeopleNumber place={lost ? funnelPlace(answer, at, index, 'dropped') : undefined} opens={opens} class="lost">
            −{count(lost)} dropped ({percent(step.of_previous == null ? null : 1 - step.of_previous)})
          </PeopleNumber>
        )}
        {step.median_seconds != null && (
          <span class="muted" title={`on average ${seconds(step.average_seconds)}`}>
            median {seconds(step.median_seconds)}
          </span>
        )}
      </p>
    </div>
  );
}

/** The one number that people ask for. */
function Whole({ answer }: { answer: AnswerOf<'funnel'> }) {
  if (answer.results.length !== 1) return null;
  const last = answer.results[0]?.steps.at(-1);
  if (!last) return null;
  return (
    <p class="muted">
      {percent(last.of_first)} of those who did the first step get to the last, “{last.name}”.
    </p>
  );
}
