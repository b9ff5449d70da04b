import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { count, counted, full } from '../../../format';
import { addressOf } from '../../../parts/address';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { Course } from '../course';
import { HealthPage } from '../frame';
import { IssueActions } from './actions';
import { Samples } from './samples';
import { State, titleOf } from './words';

/** One issue: what it is, whom it meets, since when, and where in the code. */
export function IssuePage({ params }: { params: { number: string } }) {
  return <Issue key={params.number} number={Number(params.number)} />;
}

function Issue({ number }: { number: number }) {
  const issue = useAnswer(
    (signal) => answer(GET('/api/v1/issues/{number}', { params: { path: { number } }, signal })),
    [number],
  );
  const { data } = issue;
  return (
    <HealthPage
      tab="errors"
      title={data ? titleOf(data) : `Error ${number}`}
      actions={data && <IssueActions issue={data} onChanged={issue.again} />}
    >
      <Refused refusal={issue.refusal} again={issue.again} />
      <Loading when={issue.loading && !data} />
      {data && (
        <>
          <Summary issue={data} />
          <Samples samples={data.samples} />
          <div class="grid">
            <Card>
              <Course span="24 hours" course={data.quarters} />
            </Card>
            <Card>
              <Course span="30 days" course={data.days} />
            </Card>
          </div>
          <Releases releases={data.releases} />
        </>
      )}
    </HealthPage>
  );
}

function Summary({ issue }: { issue: Schema<'WholeIssue'> }) {
  const { resolved } = issue;
  return (
    <div class="stack tight">
      <p class="row">
        <State state={issue.state} />
        <Badge tone={issue.level === 'fatal' ? 'bad' : 'plain'}>{issue.level}</Badge>
        {issue.handled && <Badge>caught by the app</Badge>}
        <code>{issue.culprit}</code>
      </p>
      <p class="facts">
        <strong>{counted(issue.people, 'person', 'people')}</strong>
        <strong>{counted(issue.events, 'event', 'events')}</strong>
        <span>
          first <Ago at={issue.first_seen} />
          {issue.first_release && ` in ${issue.first_release}`}
        </span>
        <span>
          last <Ago at={issue.last_seen} />
          {issue.last_release && ` in ${issue.last_release}`}
        </span>
      </p>
      {resolved && (
        <p class="muted">
          Resolved {full(resolved.at)} by {resolved.by}
          {resolved.in_release && ` in ${resolved.in_release}`}.
        </p>
      )}
    </div>
  );
}

function Releases({ releases }: { releases: readonly Schema<'IssueRelease'>[] }) {
  if (releases.length === 0) return null;
  return (
    <Card title="Releases">
      <Table
        label="Releases in which it happened"
        rows={releases}
        keyOf={(row) => row.release}
        columns={[
          {
            name: 'Release',
            cell: (row) => (
              <a href={addressOf('/health/errors', { release: row.release, state: 'all' })}>{row.release}</a>
            ),
          },
          { name: 'Events', number: true, cell: (row) => count(row.events) },
          { name: 'First seen', cell: (row) => <Ago at={row.first_seen} /> },
          { name: 'Last seen', cell: (row) => <Ago at={row.last_seen} /> },
        ]}
      />
    </Card>
  );
}
