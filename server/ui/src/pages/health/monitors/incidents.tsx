import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { usePages } from '../../../api/use';
import { count, full, seconds } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { More, Table } from '../../../parts/table';
import { clock } from '../../../parts/time';
import { lasted } from './uptime';

const ENDS: Record<Schema<'EndedBy'>, string> = {
  recovered: 'it answered again',
  paused: 'somebody paused it',
  changed: 'somebody changed it',
};

/** When a monitor was down. */
export function Incidents({ monitor }: { monitor: number }) {
  const incidents = usePages(
    async (cursor, signal) => {
      const query = { monitor, limit: 20, ...(cursor ? { cursor: Number(cursor) } : {}) };
      const page = await answer(GET('/api/v1/incidents', { params: { query }, signal }));
      return { rows: page.incidents, next: page.next_cursor == null ? null : String(page.next_cursor) };
    },
    [monitor],
  );
  return (
    <Card title="Incidents">
      <Refused refusal={incidents.refusal} again={incidents.again} />
      {incidents.rows.length === 0 && !incidents.loading && <p class="muted">It was never down.</p>}
      {incidents.rows.length > 0 && (
        <Table
          label="Incidents"
          rows={incidents.rows}
          keyOf={(row) => row.id}
          columns={[
            { name: 'Began', cell: (row) => full(row.started_at) },
            { name: 'Lasted', cell: (row) => seconds(Math.round(lasted(row, clock.value))) },
            { name: 'Why', cell: (row) => row.cause },
            {
              name: 'Ended',
              cell: (row) => (row.ended_by ? ENDS[row.ended_by] : <Badge tone="bad">not over</Badge>),
            },
            { name: 'Failed checks', number: true, cell: (row) => count(row.failed_checks) },
          ]}
        />
      )}
      <More more={incidents.more} loading={incidents.loading} />
    </Card>
  );
}
