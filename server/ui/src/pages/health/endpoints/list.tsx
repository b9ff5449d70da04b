import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { count, millis, percent } from '../../../format';
import { useAddress } from '../../../parts/address';
import { Refused, Select } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Empty } from '../../../parts/page';
import { type Column, Table } from '../../../parts/table';
import { HealthPage } from '../frame';
import { byHurt, failsMore, pageOfEndpoint, RANGES, type Range, slower, timeOf } from './rank';

type Endpoint = Schema<'EndpointSummary'>;

const SORTS = [
  ['hurt', 'What hurts first'],
  ['volume', 'Most requests'],
  ['error_rate', 'Most errors'],
  ['p95', 'Slowest p95'],
  ['slowest', 'Slowest request'],
] as const;

const SOURCES = [
  ['', 'Told by anybody'],
  ['gateway', 'Told by the gateway'],
  ['server', 'Told by a server'],
  ['client', 'Told by apps'],
] as const;

/** So many endpoints are shown; of a search for what hurts, of those that are asked most. */
const LISTED = 200;

/** How many requests each endpoint answers, how many fail, and how long they take. */
export function EndpointList() {
  const { query, change } = useAddress();
  const { sort = 'hurt', source = '', range = 'day' } = query;
  const endpoints = useAnswer(
    (signal) => {
      const asked = { ...timeOf(range, Date.now()), sort: sort === 'hurt' ? 'volume' : sort, limit: LISTED };
      const query = { ...asked, ...(source && { source }) };
      return answer(GET('/api/v1/endpoints', { params: { query: query as object }, signal }));
    },
    [sort, source, range],
  );
  const rows = endpoints.data?.endpoints ?? [];
  return (
    <HealthPage tab="endpoints">
      <div class="filters">
        <Select label="Order" bare value={sort as 'hurt'} choices={SORTS} onValue={(sort) => change({ sort })} />
        <Select label="Time" bare value={range as Range} choices={RANGES} onValue={(range) => change({ range })} />
        <Select label="Source" bare value={source as ''} choices={SOURCES} onValue={(source) => change({ source })} />
      </div>
      <Refused refusal={endpoints.refusal} again={endpoints.again} />
      <Loading when={endpoints.loading && !endpoints.data} />
      {endpoints.data && rows.length === 0 && (
        <Empty title="No requests">
          SDKs, servers and the gateway tell of requests with <code>$request</code> events.
        </Empty>
      )}
      {rows.length > 0 && (
        <div class="card flush">
          <Table
            label="Endpoints"
            columns={columns(range, new Set(rows.map((row) => row.source)).size > 1)}
            rows={sort === 'hurt' ? byHurt(rows) : rows}
            keyOf={(row) => [row.source, row.host, row.method, row.path].join(' ')}
          />
        </div>
      )}
      {endpoints.data?.next_cursor && <p class="muted">The {LISTED} that come first in this order are shown.</p>}
    </HealthPage>
  );
}

/** The columns; who tells of the requests is said where it differs. */
const columns = (range: string, differs: boolean): Column<Endpoint>[] => [
  {
    name: 'Endpoint',
    cell: (row) => (
      <div class="named">
        <a href={pageOfEndpoint(row, range)}>
          {row.method} {row.path}
        </a>
        <span class="muted">{[row.host, differs && `told by ${row.source}`].filter(Boolean).join(' · ')}</span>
      </div>
    ),
  },
  {
    name: 'Errors',
    number: true,
    cell: (row) => (
      <div class="named">
        <span class={failsMore(row) ? 'bad-text' : undefined}>{percent(row.error_rate)}</span>
        {row.usual && <small class="muted">usually {percent(row.usual.error_rate)}</small>}
      </div>
    ),
  },
  {
    name: 'p95',
    number: true,
    cell: (row) => (
      <div class="named">
        <span class={slower(row) ? 'bad-text' : undefined}>{millis(row.p95_ms)}</span>
        {row.usual?.p95_ms != null && <small class="muted">usually {millis(row.usual.p95_ms)}</small>}
      </div>
    ),
  },
  { name: 'p50', number: true, cell: (row) => millis(row.p50_ms) },
  { name: 'p99', number: true, cell: (row) => millis(row.p99_ms) },
  { name: 'Requests', number: true, cell: (row) => count(row.requests) },
];
