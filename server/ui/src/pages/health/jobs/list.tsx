import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { millis, seconds } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Table } from '../../../parts/table';
import { Ago, clock } from '../../../parts/time';
import { HealthPage } from '../frame';

type Job = Schema<'Job'>;

/** What is done in the background; what fails comes first. */
export function JobList() {
  const jobs = useAnswer((signal) => answer(GET('/api/v1/jobs', { signal })), []);
  const rows = (jobs.data?.jobs ?? []).toSorted(
    (a, b) => Number(!!b.error) - Number(!!a.error) || a.name.localeCompare(b.name),
  );
  return (
    <HealthPage tab="jobs">
      <Refused refusal={jobs.refusal} again={jobs.again} />
      <Loading when={jobs.loading && !jobs.data} />
      {rows.length > 0 && (
        <div class="card flush">
          <Table
            label="Jobs"
            rows={rows}
            keyOf={(job) => job.name}
            columns={[
              {
                name: 'Job',
                cell: (job) => (
                  <div class="named">
                    <a href={`/health/jobs/${job.name}`}>{job.name}</a>
                    <span class="muted">{job.what}</span>
                  </div>
                ),
              },
              { name: 'State', cell: (job) => <JobState job={job} /> },
              { name: 'Every', cell: (job) => seconds(job.every_seconds) },
              { name: 'Last ended', cell: (job) => <Ago at={job.finished_at} /> },
              { name: 'Took', number: true, cell: (job) => millis(job.took_ms) },
              { name: 'Next', cell: (job) => <Next job={job} now={clock.value} /> },
            ]}
          />
        </div>
      )}
    </HealthPage>
  );
}

export function JobState({ job }: { job: Job }) {
  if (job.error)
    return (
      <div class="named">
        <span>
          <Badge tone="bad">failed</Badge>
        </span>
        <span class="bad-text">{job.error}</span>
      </div>
    );
  if (job.running) return <Badge>runs</Badge>;
  return <span class="muted">{job.finished_at ? 'well' : 'has not run yet'}</span>;
}

/** When it runs next; what is due is started within seconds. */
export function Next({ job, now }: { job: Job; now: number }) {
  return job.running || Date.parse(job.due_at) - now < 5000 ? <>now</> : <Ago at={job.due_at} />;
}
