import type { ComponentChildren } from 'preact';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { count, counted } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { SettingsPage } from '../frame';

/** What the server is, and what its configuration says. It is changed there alone. */
export function ServerPage() {
  const server = useAnswer((signal) => answer(GET('/api/v1/server', { signal })), []);
  const { data } = server;
  return (
    <SettingsPage tab="server">
      <Refused refusal={server.refusal} again={server.again} />
      <Loading when={server.loading && !data} />
      {data && (
        <>
          <Card title="Configuration">
            <dl class="fact-rows">
              {facts(data).map(([name, said]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{said}</dd>
                </div>
              ))}
            </dl>
          </Card>
          <Nodes nodes={data.nodes} />
        </>
      )}
    </SettingsPage>
  );
}

function facts(server: Schema<'ServerFacts'>): [string, ComponentChildren][] {
  const days = server.retention.events_days;
  return [
    ['Version', server.version],
    [
      'Address',
      server.public_url ?? (
        <>
          Not said. Links in alerts need it: <code>[http] public_url</code> in the configuration.
        </>
      ),
    ],
    [
      'Events are kept',
      <>
        {days == null ? 'for ever' : `for ${counted(days, 'day', 'days')}`}{' '}
        <span class="muted">
          (<code>[retention] events_days</code>)
        </span>
      </>,
    ],
    [
      'E-mail',
      server.mail ? (
        'Alerts can be sent by e-mail.'
      ) : (
        <>
          Not set up: alerts go by webhook only. <code>[smtp] host</code> and <code>from</code> in the configuration
          name the mail server.
        </>
      ),
    ],
    ['Gateway', server.gateway ? 'It routes to other services.' : 'No file with routes: it serves Trailmark alone.'],
  ];
}

function Nodes({ nodes }: { nodes: readonly Schema<'ServerNode'>[] }) {
  return (
    <Card title={nodes.length === 1 ? 'One server' : `${count(nodes.length)} servers`}>
      <Table
        label="Servers of this database"
        rows={nodes}
        keyOf={(node) => node.id}
        columns={[
          { name: 'Listens at', cell: (node) => node.listen },
          { name: 'Version', cell: (node) => node.version },
          { name: 'Started', cell: (node) => <Ago at={node.started_at} /> },
          { name: 'Last heard of', cell: (node) => <Ago at={node.seen_at} /> },
          {
            name: 'Ingest',
            cell: (node) =>
              node.poisoned || node.writer_error ? (
                <Badge tone="bad">{node.writer_error ?? 'journal failed'}</Badge>
              ) : (
                `${counted(node.backlog_records, 'batch', 'batches')} waiting`
              ),
          },
        ]}
      />
      <p>
        <a href="/health/delivery">How the ingest fares</a>
      </p>
    </Card>
  );
}
