import type { ComponentChildren } from 'preact';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { usePages } from '../../../api/use';
import { count, counted, percent } from '../../../format';
import { Refused } from '../../../parts/form';
import { Card, Empty } from '../../../parts/page';
import { type Column, More, Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { byCount, meaning } from './reasons';

type Delivery = Schema<'Delivery'>;
type Counted = Pick<Schema<'Install'>, 'captured' | 'stored' | 'queued' | 'lost' | 'loss_rate' | 'dropped'>;

/** What became of everything that the installs captured. */
export function Loss() {
  const pages = usePages<{ all: Delivery; install: Schema<'Install'> | undefined }>(async (cursor, signal) => {
    const query = { limit: 50, ...(cursor ? { cursor } : {}) };
    const all = await answer(GET('/api/analytics/delivery', { params: { query }, signal }));
    const rows = all.installs.map((install) => ({ all, install }));
    return { rows: rows.length > 0 ? rows : [{ all, install: undefined }], next: all.next_cursor };
  }, []);
  const all = pages.rows[0]?.all;
  const installs = pages.rows.flatMap((row) => (row.install ? [row.install] : []));
  return (
    <>
      <Refused refusal={pages.refusal} again={pages.again} />
      {all && all.totals.installs === 0 && (
        <Card title="Loss">
          <Empty title="No install counts yet">
            The SDKs tell with each batch how many events they have captured. Other senders can with{' '}
            <code>counters</code>.
          </Empty>
        </Card>
      )}
      {all && all.totals.installs > 0 && (
        <>
          <Totals totals={all.totals} />
          <div class="grid">
            <Groups title="By release" rows={all.by_release} rest={all.by_release_rest} />
            <Groups title="By SDK" rows={all.by_sdk} rest={all.by_sdk_rest} />
          </div>
          <Card title="Installs that lost most">
            <Table label="Installs" rows={installs} keyOf={(row) => row.install_id} columns={INSTALLS} />
            <More more={pages.more} loading={pages.loading} />
          </Card>
        </>
      )}
    </>
  );
}

function Totals({ totals }: { totals: Schema<'DeliverySum'> }) {
  const dropped = byCount(totals.dropped as Record<string, number>);
  const sum = dropped.reduce((sum, one) => sum + one.count, 0);
  const parts: [string, ComponentChildren][] = [
    ['captured', count(totals.captured)],
    ['stored', count(totals.stored)],
    ['still queued', count(totals.queued)],
    ['dropped for a reason', count(sum)],
    [`lost (${percent(totals.loss_rate)})`, count(totals.lost)],
  ];
  return (
    <Card title={`What ${counted(totals.installs, 'install', 'installs')} captured`}>
      <dl class="numbers">
        {parts.map(([name, value]) => (
          <div key={name}>
            <dd>{value}</dd>
            <dt class="muted">{name}</dt>
          </div>
        ))}
      </dl>
      {dropped.length > 0 && (
        <Table
          label="Dropped, by reason"
          rows={dropped}
          keyOf={(row) => row.reason}
          columns={[
            {
              name: 'Dropped because',
              cell: (row) => (
                <div class="named">
                  <code>{row.reason}</code>
                  <span class="muted">{meaning(row.reason)}</span>
                </div>
              ),
            },
            { name: 'Events', number: true, cell: (row) => count(row.count) },
          ]}
        />
      )}
    </Card>
  );
}

const droppedOf = (row: Counted) =>
  byCount(row.dropped as Record<string, number>).reduce((sum, one) => sum + one.count, 0);

/** A loss of 1 % is worth a look. */
const lossTone = (row: Counted) => (row.loss_rate >= 0.01 ? 'bad-text' : undefined);

const numbers = <Row extends Counted>(): Column<Row>[] => [
  { name: 'Captured', number: true, cell: (row) => count(row.captured) },
  { name: 'Dropped', number: true, cell: (row) => count(droppedOf(row)) },
  {
    name: 'Lost',
    number: true,
    cell: (row) => (
      <span class={lossTone(row)}>
        {count(row.lost)} ({percent(row.loss_rate)})
      </span>
    ),
  },
];

const INSTALLS: Column<Schema<'Install'>>[] = [
  {
    name: 'Install',
    cell: (row) => (
      <div class="named">
        <code>{row.install_id}</code>
        <small class="muted">{[row.release, row.sdk].filter(Boolean).join(' · ')}</small>
      </div>
    ),
  },
  ...numbers<Schema<'Install'>>(),
  { name: 'Queued', number: true, cell: (row) => count(row.queued) },
  { name: 'Last seen', cell: (row) => <Ago at={row.last_seen_at} /> },
];

function Groups({ title, rows, rest }: { title: string; rows: readonly Schema<'DeliveryGroup'>[]; rest: number }) {
  return (
    <Card title={title}>
      <Table
        label={title}
        rows={rows}
        keyOf={(row) => row.name ?? ''}
        columns={[
          { name: 'Name', cell: (row) => row.name ?? <span class="muted">does not say</span> },
          { name: 'Installs', number: true, cell: (row) => count(row.installs) },
          ...numbers<Schema<'DeliveryGroup'>>(),
        ]}
      />
      {rest > 0 && <p class="muted">{counted(rest, 'install', 'installs')} of others lost less.</p>}
    </Card>
  );
}
