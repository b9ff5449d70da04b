import type { Schema } from '../../../api/types';
import { count, counted, millis } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago, clock } from '../../../parts/time';
import { meaning } from './reasons';

type Node = Schema<'ServerNode'>;

/** How our own ingest fares: its servers with their queues, and what was refused. */
export function Ingest({ ingest }: { ingest: Schema<'Ingest'> }) {
  return (
    <>
      <Card title="Servers">
        <Table
          label="Servers"
          rows={ingest.servers}
          keyOf={(node) => node.id}
          columns={[
            {
              name: 'Server',
              cell: (node) => (
                <div class="named">
                  <span>{node.listen}</span>
                  <small class="muted">
                    {node.version}, started <Ago at={node.started_at} />
                  </small>
                </div>
              ),
            },
            { name: 'State', cell: (node) => <NodeState node={node} now={clock.value} /> },
            { name: 'Batches that wait', number: true, cell: (node) => count(node.backlog_records) },
            { name: 'The oldest for', number: true, cell: (node) => millis(node.oldest_ms) },
          ]}
        />
        <Left ingest={ingest} />
      </Card>
      <Card title="Refused in the last day">
        {ingest.refused.length === 0 ? (
          <p class="muted">Nothing was refused.</p>
        ) : (
          <Table
            label="Refused in the last day"
            rows={ingest.refused}
            keyOf={(row) => `${row.what} ${row.reason}`}
            columns={[
              {
                name: 'Reason',
                cell: (row) => (
                  <div class="named">
                    <code>{row.reason}</code>
                    <span class="muted">{meaning(row.reason)}</span>
                  </div>
                ),
              },
              { name: 'What', cell: (row) => (row.what === 'event' ? 'events' : 'whole requests') },
              { name: 'How many', number: true, cell: (row) => count(row.count) },
            ]}
          />
        )}
      </Card>
    </>
  );
}

/** A server tells of itself every 10 s; after a minute of silence it is gone. */
const GONE_MS = 60_000;

function NodeState({ node, now }: { node: Node; now: number }) {
  if (now - Date.parse(node.seen_at) > GONE_MS)
    return (
      <>
        <Badge tone="bad">gone</Badge> seen <Ago at={node.seen_at} />
      </>
    );
  if (node.poisoned)
    return (
      <>
        <Badge tone="bad">journal failed</Badge> it takes nothing until it is started anew
      </>
    );
  if (node.writer_error)
    return (
      <>
        <Badge tone="bad">does not store</Badge> {node.writer_error}
      </>
    );
  return <Badge tone="good">well</Badge>;
}

function Left({ ingest }: { ingest: Schema<'Ingest'> }) {
  const { dead_letters, waiting_notes, failed_notes } = ingest;
  return (
    <>
      {dead_letters > 0 && (
        <p class="notice">
          The database refused {counted(dead_letters, 'event', 'events')} in the last day.{' '}
          <code>trailmark deadletter list</code> says why, <code>trailmark deadletter replay</code> stores them.
        </p>
      )}
      {failed_notes > 0 && (
        <p class="notice">
          {counted(failed_notes, 'note', 'notes')} could not be taken up by the background work: a mistake of Trailmark,
          worth a report.
        </p>
      )}
      {waiting_notes > 0 && (
        <p class="muted">{counted(waiting_notes, 'note waits', 'notes wait')} for the background work.</p>
      )}
    </>
  );
}
