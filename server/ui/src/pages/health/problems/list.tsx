import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { usePages } from '../../../api/use';
import { counted, full, seconds } from '../../../format';
import { useAddress } from '../../../parts/address';
import { Badge } from '../../../parts/badge';
import { Refused, Select } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Empty } from '../../../parts/page';
import { More } from '../../../parts/table';
import { clock } from '../../../parts/time';
import { pageOf } from '../../now/evidence';
import { Sentence } from '../../now/problem';
import { HealthPage } from '../frame';
import { KINDS } from './kinds';

type Problem = Schema<'FoundProblem'>;

/** Everything that was broken, what was found last first. */
export function ProblemList() {
  const { query, change } = useAddress();
  const kind = query.kind ?? '';
  const problems = usePages(
    async (cursor, signal) => {
      const asked = { limit: 50, ...(kind && { kind }), ...(cursor && { cursor }) };
      const page = await answer(GET('/api/v1/problems', { params: { query: asked as object }, signal }));
      return { rows: page.problems, next: page.next_cursor == null ? null : String(page.next_cursor) };
    },
    [kind],
  );
  return (
    <HealthPage tab="problems">
      <div class="filters">
        <Select
          label="Kind"
          bare
          value={kind as ''}
          choices={[['', 'All kinds'], ...KINDS]}
          onValue={(kind) => change({ kind })}
        />
      </div>
      <Refused refusal={problems.refusal} again={problems.again} />
      <Loading when={problems.loading && problems.rows.length === 0} />
      {problems.rows.length === 0 && !problems.loading && !problems.refusal && (
        <Empty title="Nothing was ever broken">The detectors look every 15 seconds.</Empty>
      )}
      {problems.rows.length > 0 && (
        <ul class="history card flush">
          {problems.rows.map((problem) => (
            <Row key={problem.id} problem={problem} now={clock.value} />
          ))}
        </ul>
      )}
      <More more={problems.more} loading={problems.loading} />
    </HealthPage>
  );
}

function Row({ problem, now }: { problem: Problem; now: number }) {
  const end = problem.closed_at ? Date.parse(problem.closed_at) : now;
  const lasted = seconds(Math.max(0, Math.round((end - Date.parse(problem.since)) / 1000)));
  return (
    <li class="past">
      <a href={pageOf(problem.evidence)}>
        <Sentence text={problem.what} />
      </a>
      <span class="muted facts">
        {!problem.closed_at && <Badge tone="bad">open</Badge>}
        <span>{full(problem.since)}</span>
        <span>{problem.closed_at ? `for ${lasted}` : `for ${lasted} so far`}</span>
        {problem.people != null && <span>{counted(problem.people, 'person', 'people')}</span>}
        {problem.compared_with && <span>{problem.compared_with}</span>}
      </span>
    </li>
  );
}
