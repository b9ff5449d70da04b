import '../styles/answers.css';
import { useMemo } from 'preact/hooks';
import { count, day, millis } from '../format';
import type { ChartMark } from '../parts/chart';
import { Empty } from '../parts/page';
import { Funnel } from './funnel';
import { Lifecycle } from './lifecycle';
import { marksIn, NO_MARKS } from './marks';
import { Paths } from './paths';
import { type Opens, PeopleNumber } from './people';
import { Retention } from './retention';
import { Sessions } from './sessions';
import { sheetOf } from './sheet';
import { SheetTable } from './sheet-table';
import { Stickiness } from './stickiness';
import { Trends } from './trends';
import type { Answered } from './words';

export type View = 'chart' | 'table';

interface Shown {
  answer: Answered;
  opens: Opens;
  marks?: readonly ChartMark[];
}

/** An answer, as a picture or as a table. */
export function Answer({ answer, view, opens, marks = NO_MARKS }: Shown & { view: View }) {
  const sheet = useMemo(() => sheetOf(answer), [answer]);
  const noted = useMemo(() => marksIn(answer, marks), [answer, marks]);
  if (isNothing(answer)) {
    return (
      <Empty title="Nothing in this stretch of time">
        Ask for more time, for another event, or with fewer filters.
      </Empty>
    );
  }
  return (
    <div class="answer">
      {view === 'table' ? (
        <SheetTable sheet={sheet} label="The numbers" opens={opens} />
      ) : (
        <Picture answer={answer} opens={opens} marks={noted} />
      )}
      {noted.length > 0 && (
        <ul class="answer-notes" aria-label="Notes">
          {noted.map((mark) => (
            <li key={`${mark.at} ${mark.text}`}>
              <span aria-hidden="true">⚑</span> <time dateTime={mark.at}>{day(mark.at)}</time> {mark.text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Picture({ answer, opens, marks = NO_MARKS }: Shown) {
  switch (answer.kind) {
    case 'trends':
      return <Trends {...{ answer, opens, marks }} />;
    case 'funnel':
      return <Funnel {...{ answer, opens }} />;
    case 'retention':
      return <Retention {...{ answer, opens }} />;
    case 'paths':
      return <Paths {...{ answer, opens }} />;
    case 'lifecycle':
      return <Lifecycle {...{ answer, opens }} />;
    case 'stickiness':
      return <Stickiness {...{ answer, opens }} />;
    case 'sessions':
      return <Sessions {...{ answer, opens, marks }} />;
    case 'cohort':
      return (
        <p class="one-number">
          <PeopleNumber place={{ title: 'In the cohort', at: {} }} opens={opens}>
            {count(answer.persons)}
          </PeopleNumber>{' '}
          people
        </p>
      );
  }
}

/** Whether there is nothing that a picture could show. */
function isNothing(answer: Answered): boolean {
  switch (answer.kind) {
    case 'trends':
      return answer.results.every((line) => line.values.every((value) => !value));
    case 'funnel':
      return answer.results.every((line) => !line.steps[0]?.count);
    case 'retention':
      return answer.results.every((row) => row.size === 0);
    case 'cohort':
      return false;
    case 'lifecycle':
      return [...answer.new, ...answer.returning, ...answer.resurrecting, ...answer.dormant].every((one) => one === 0);
    case 'stickiness':
      return answer.results.every((line) => line.values.every((value) => value === 0));
    case 'sessions':
      return answer.results.every((line) => line.total.sessions === 0);
    default:
      return answer.results.length === 0;
  }
}

/** How long it took, and what a reader should know about the numbers. */
export function About({ answer }: { answer: Answered }) {
  return (
    <div class="answer-about">
      {answer.meta.warnings.map((warning) => (
        <p key={warning} class="notice">
          {warning}
        </p>
      ))}
      <small class="muted">
        Asked in {millis(answer.meta.took_ms)}
        {answer.meta.timezone !== Intl.DateTimeFormat().resolvedOptions().timeZone &&
          ` · days begin in ${answer.meta.timezone}`}
      </small>
    </div>
  );
}
