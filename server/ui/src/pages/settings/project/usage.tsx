import { answer, GET } from '../../../api/client';
import { useAnswer } from '../../../api/use';
import { count, seconds, utcDay } from '../../../format';
import { AsTable } from '../../../parts/as-table';
import { Refused } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { Strip } from '../../../parts/strip';

/** How much the project was used, by the day. */
export function Usage() {
  const usage = useAnswer((signal) => answer(GET('/api/v1/usage', { signal })), []);
  const days = usage.data?.days ?? [];
  const events = days.reduce((sum, one) => sum + one.events, 0);
  const sessions = days.reduce((sum, one) => sum + (one.sessions ?? 0), 0);
  return (
    <Card title="The last 30 days">
      <Refused refusal={usage.refusal} again={usage.again} />
      {usage.data && (
        <>
          <dl class="numbers">
            <div>
              <dd>{count(events)}</dd>
              <dt class="muted">events</dt>
            </div>
            <div>
              <dd>{count(sessions)}</dd>
              <dt class="muted">sessions</dt>
            </div>
            <div>
              <dd>
                <a href="/people">{count(days.at(-1)?.persons ?? 0)}</a>
              </dd>
              <dt class="muted">people today</dt>
            </div>
          </dl>
          <div class="course">
            <Strip kind="bars" values={days.map((one) => one.events)} label="Events by the day" />
          </div>
          <AsTable
            label="Usage by the day"
            rows={() => days.toReversed()}
            keyOf={(one) => one.day}
            columns={[
              { name: 'Day (UTC)', cell: (one) => utcDay(one.day) },
              { name: 'Events', number: true, cell: (one) => count(one.events) },
              { name: 'People', number: true, cell: (one) => count(one.persons) },
              { name: 'Sessions', number: true, cell: (one) => count(one.sessions) },
              {
                name: 'A session lasted',
                number: true,
                cell: (one) =>
                  one.sessions && one.session_seconds != null
                    ? seconds(Math.round(one.session_seconds / one.sessions))
                    : '–',
              },
            ]}
          >
            Events, a bar a day.
          </AsTable>
        </>
      )}
    </Card>
  );
}
