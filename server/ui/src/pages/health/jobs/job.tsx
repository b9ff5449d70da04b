import { answer, GET } from '../../../api/client';
import { useAnswer } from '../../../api/use';
import { count, counted, full, millis, seconds } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago, clock } from '../../../parts/time';
import { HealthPage } from '../frame';
import { JobState, Next } from './list';
import { RunNow } from './run';

/** One job with its latest runs. */
export function JobPage({ params }: { params: { name: string } }) {
  return <One key={params.name} name={params.name} />;
}

function One({ name }: { name: string }) {
  const job = useAnswer((signal) => answer(GET('/api/v1/jobs/{name}', { params: { path: { name } }, signal })), [name]);
  const { data } = job;
  return (
    <HealthPage tab="jobs" title={name} actions={data && <RunNow name={name} onRun={job.again} />}>
      <Refused refusal={job.refusal} again={job.again} />
      {data && (
        <>
          <p>It {data.what}.</p>
          <p class="facts">
            <JobState job={data} />
            {data.every_seconds != null && <span>every {seconds(data.every_seconds)}</span>}
            <span>
              next <Next job={data} now={clock.value} />
            </span>
            <span>{counted(data.runs, 'run', 'runs')}</span>
            <span>
              {counted(data.failures, 'failure', 'failures')}
              {data.failed_at && (
                <>
                  , the last <Ago at={data.failed_at} />
                </>
              )}
            </span>
          </p>
          <Card title="Latest runs">
            {data.latest.length === 0 ? (
              <p class="muted">Runs that did nothing are not kept.</p>
            ) : (
              <Table
                label="Latest runs"
                rows={data.latest}
                keyOf={(run) => run.id}
                columns={[
                  { name: 'Began', cell: (run) => full(run.started_at) },
                  { name: 'Took', number: true, cell: (run) => millis(run.took_ms) },
                  { name: 'Did', number: true, cell: (run) => count(run.done) },
                  {
                    name: 'Error',
                    cell: (run) =>
                      run.error ? <span class="bad-text">{run.error}</span> : <Badge tone="good">none</Badge>,
                  },
                ]}
              />
            )}
          </Card>
        </>
      )}
    </HealthPage>
  );
}
