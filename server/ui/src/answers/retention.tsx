import { useState } from 'preact/hooks';
import { count, percent } from '../format';
import { Select } from '../parts/form';
import { type Opens, PeopleNumber } from './people';
import { shadeOf } from './shade';
import { intervalOf, retentionPlace } from './sheet';
import { type AnswerOf, periodSaid } from './words';

/** Who came back, period after period: the more, the darker. What is not over yet is hatched, what is to come is empty. */
export function Retention({ answer, opens }: { answer: AnswerOf<'retention'>; opens: Opens }) {
  const [shown, setShown] = useState<'share' | 'count'>('share');
  const period = intervalOf(answer) ?? 'period';
  const most = Math.max(0, ...answer.results.map((row) => row.values.length));
  const intervals = Array.from({ length: most }, (_, interval) => interval);
  return (
    <div class="stack">
      <div class="row spread">
        <p class="muted">Hatched: not over yet. Empty: still to come.</p>
        <Select
          label="Show"
          bare
          value={shown}
          choices={[
            ['share', 'as shares'],
            ['count', 'as people'],
          ]}
          onValue={setShown}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="table heat" aria-label="Who came back" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Began</th>
              <th scope="col" class="number">
                People
              </th>
              {intervals.map((interval) => (
                <th key={interval} scope="col" class="number">
                  {period[0]?.toUpperCase()}
                  {period.slice(1)} {interval}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.results.map((row, at) => (
              <tr key={row.label}>
                <th scope="row">{periodSaid(row.label, period)}</th>
                <td class="number">
                  <PeopleNumber place={row.size ? retentionPlace(answer, at, 0) : undefined} opens={opens}>
                    {count(row.size)}
                  </PeopleNumber>
                </td>
                {intervals.map((interval) => (
                  <Cell key={interval} {...{ answer, at, interval, opens, shown }} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Cell(props: {
  answer: AnswerOf<'retention'>;
  at: number;
  interval: number;
  opens: Opens;
  shown: 'share' | 'count';
}) {
  const { answer, at, interval } = props;
  const row = answer.results[at];
  const value = row?.values[interval];
  if (!row || value == null) return <td />;
  const share = row.size > 0 ? value / row.size : null;
  const open = row.incomplete_from != null && interval >= row.incomplete_from;
  return (
    <td
      class={open ? 'number heat-cell open' : 'number heat-cell'}
      style={{ '--shade': `${shadeOf(share)}%` }}
      title={open ? 'Not over yet' : undefined}
    >
      <PeopleNumber place={value ? retentionPlace(answer, at, interval) : undefined} opens={props.opens}>
        {props.shown === 'count' ? count(value) : percent(share)}
      </PeopleNumber>
    </td>
  );
}
