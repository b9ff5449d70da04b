import { answer, GET } from '../../api/client';
import type { Schema } from '../../api/types';
import { usePages } from '../../api/use';
import { count, full, seconds } from '../../format';
import { Refused } from '../../parts/form';
import { Card, Empty } from '../../parts/page';
import { type Column, More, Table } from '../../parts/table';
import { personHref } from '../../words/person';

type Session = Schema<'SessionPage'>['sessions'][number];

/** Stretches of use of one person, the newest first. */
export function Sessions({ id, since }: { id: string; since: string | null | undefined }) {
  const sessions = usePages<Session>(
    async (cursor, signal) => {
      const query = { person: id, limit: 50, ...(since && { from: since }), ...(cursor && { cursor }) };
      const page = await answer(GET('/api/v1/sessions', { params: { query }, signal }));
      return { rows: page.sessions, next: page.next_cursor };
    },
    [id, since],
  );
  const columns: Column<Session>[] = [
    { name: 'Began', cell: (session) => <a href={hrefOf(id, session)}>{full(session.started_at)}</a> },
    { name: 'Lasted', number: true, cell: (session) => seconds(Math.round(session.duration_seconds)) },
    { name: 'Events', number: true, cell: (session) => count(session.events) },
    { name: 'From', cell: (session) => <bdi class="page-name">{session.first_page ?? '–'}</bdi> },
    { name: 'To', cell: (session) => <bdi class="page-name">{session.last_page ?? '–'}</bdi> },
  ];
  return (
    <>
      <Refused refusal={sessions.refusal} again={sessions.again} />
      {sessions.rows.length > 0 && (
        <Card>
          <Table label="Sessions" columns={columns} rows={sessions.rows} keyOf={(session) => session.session_id} />
        </Card>
      )}
      {sessions.rows.length === 0 && !sessions.loading && !sessions.refusal && (
        <Empty title="No sessions">Its events name none.</Empty>
      )}
      <More more={sessions.more} loading={sessions.loading} />
    </>
  );
}

/** The timeline of one session. It ends before `to`, and times have microseconds. */
function hrefOf(id: string, session: Session): string {
  const to = new Date(Date.parse(session.ended_at) + 1).toISOString();
  return `${personHref(id)}?${new URLSearchParams({ from: session.started_at, to })}`;
}
