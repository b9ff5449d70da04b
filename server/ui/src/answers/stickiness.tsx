import { count } from '../format';
import { colourOf } from '../parts/chart';
import { Bars } from './bars';
import { type Opens, PeopleNumber } from './people';
import { intervalOf, stickinessPlace } from './sheet';
import type { AnswerOf } from './words';

/** On how many days (weeks, months) people did it: the further right, the more it has become a habit. */
export function Stickiness({ answer, opens }: { answer: AnswerOf<'stickiness'>; opens: Opens }) {
  const interval = intervalOf(answer) ?? 'period';
  return (
    <>
      {answer.results.map((line, series) => {
        const people = line.values.reduce((all, value) => all + value, 0);
        const once = line.values[0] ?? 0;
        return (
          <div key={series} class="stack">
            <h3>
              <i class="dot" style={{ background: colourOf(series) }} />
              {line.name}: {count(people)} people,{' '}
              <PeopleNumber place={once ? stickinessPlace(answer, series, 1) : undefined} opens={opens}>
                {count(once)}
              </PeopleNumber>{' '}
              of them on one {interval} only
            </h3>
            <Bars
              label={`On how many ${interval}s people did ${line.name}; the table has the numbers`}
              parts={[{ name: 'people', colour: colourOf(series) }]}
              stacks={answer.labels.map((periods, at) => ({
                name: `${periods} ${interval}${periods === 1 ? '' : 's'}`,
                values: [line.values[at] ?? 0],
              }))}
              onPick={opens && ((at) => opens(stickinessPlace(answer, series, answer.labels[at] ?? 1)))}
            />
          </div>
        );
      })}
    </>
  );
}
