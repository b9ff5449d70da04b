import { useMemo } from 'preact/hooks';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { count, full, millis, percent } from '../../../format';
import { useAddress } from '../../../parts/address';
import { AsTable } from '../../../parts/as-table';
import { Chart } from '../../../parts/chart';
import { Refused, Select } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Card, Empty } from '../../../parts/page';
import { HealthPage } from '../frame';
import { RANGES, type Range, timeOf } from './rank';
import { filled, sums } from './series';

/** One endpoint over time: how much it is asked, how much fails, how long it takes. */
export default function Endpoint() {
  const { query, change } = useAddress();
  const { method, path, source, host, range = 'day' } = query;
  const series = useAnswer(
    (signal) => {
      const asked = { method, path, source, host, ...timeOf(range, Date.now()) };
      return answer(GET('/api/v1/endpoints/series', { params: { query: asked as never }, signal }));
    },
    [method, path, source, host, range],
  );
  const { data } = series;
  const about = [host, source && `told by ${source}`].filter(Boolean).join(' · ');
  return (
    <HealthPage
      tab="endpoints"
      title={`${method ?? ''} ${path ?? ''}`.trim() || 'Endpoint'}
      actions={
        <Select label="Time" bare value={range as Range} choices={RANGES} onValue={(range) => change({ range })} />
      }
    >
      {about && <p class="muted">{about}</p>}
      <Refused refusal={series.refusal} again={series.again} />
      <Loading when={series.loading && !data} />
      {data && data.points.length === 0 && <Empty title="No requests in this time">Choose a longer one.</Empty>}
      {data && data.points.length > 0 && <Charts series={data} />}
    </HealthPage>
  );
}

function Charts({ series }: { series: Schema<'EndpointSeries'> }) {
  const made = useMemo(() => filled(series), [series]);
  const lines = useMemo(
    () => ({
      requests: [{ name: 'Requests', values: made.requests }],
      errors: [{ name: 'Errors', values: made.error_rate }],
      times: [
        { name: 'p50', values: made.p50 },
        { name: 'p95', values: made.p95 },
        { name: 'p99', values: made.p99, faint: true },
      ],
    }),
    [made],
  );
  const all = sums(series);
  const each = series.step === '5 minutes' ? 'every 5 minutes' : `each ${series.step}`;
  return (
    <>
      <p class="facts">
        <strong>{count(all.requests)} requests</strong>
        <strong>{percent(all.errors / all.requests)} errors</strong>
        <span>{percent(all.client_errors / all.requests)} refused or given up (4xx)</span>
      </p>
      <Card title={`Share of errors, ${each}`}>
        <Chart
          label="Share of requests that failed"
          times={made.times}
          lines={lines.errors}
          format={percent}
          height={180}
        />
      </Card>
      <Card title={`Time to answer, ${each}`}>
        <p class="legend muted">
          {lines.times.map((line, at) => (
            <span key={line.name}>
              <i class={`dot line-${at + 1}`} />
              {line.name}
            </span>
          ))}
        </p>
        <Chart
          label="Percentiles of the time to answer"
          times={made.times}
          lines={lines.times}
          format={millis}
          height={180}
        />
      </Card>
      <Card title={`Requests, ${each}`}>
        <Chart label="Requests" times={made.times} lines={lines.requests} height={140} />
      </Card>
      <AsTable
        label="Requests over time"
        rows={() => series.points.toReversed()}
        keyOf={(point) => point.at}
        columns={[
          { name: 'From', cell: (point) => full(point.at) },
          { name: 'Requests', number: true, cell: (point) => count(point.requests) },
          { name: 'Errors', number: true, cell: (point) => percent(point.error_rate) },
          { name: '4xx', number: true, cell: (point) => count(point.client_errors) },
          { name: 'p50', number: true, cell: (point) => millis(point.p50_ms) },
          { name: 'p95', number: true, cell: (point) => millis(point.p95_ms) },
          { name: 'p99', number: true, cell: (point) => millis(point.p99_ms) },
        ]}
      >
        The numbers of all three.
      </AsTable>
    </>
  );
}
