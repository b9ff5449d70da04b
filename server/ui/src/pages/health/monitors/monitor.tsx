import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, DELETE, GET, PATCH, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction, useAnswer } from '../../../api/use';
import { count, full, millis, utcDay } from '../../../format';
import { AsTable } from '../../../parts/as-table';
import { Badge } from '../../../parts/badge';
import { Confirm } from '../../../parts/confirm';
import { Button, Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Card } from '../../../parts/page';
import { Strip } from '../../../parts/strip';
import { Ago, clock } from '../../../parts/time';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';
import { HealthPage } from '../frame';
import { Bars } from './bars';
import { MonitorForm } from './form';
import { Incidents } from './incidents';
import { certificate, stateName, TONES, target, uptime } from './uptime';

type Monitor = Schema<'Monitor'>;

/** One monitor: how it stands, its last 90 days, and when it was down. */
export function MonitorPage({ params }: { params: { id: string } }) {
  return <One key={params.id} id={Number(params.id)} />;
}

function One({ id }: { id: number }) {
  const path = { id };
  const monitor = useAnswer((signal) => answer(GET('/api/v1/monitors/{id}', { params: { path }, signal })), [id]);
  const history = useAnswer(
    (signal) => answer(GET('/api/v1/monitors/{id}/history', { params: { path }, signal })),
    [id],
  );
  const { data } = monitor;
  const changed = () => {
    monitor.again();
    history.again();
  };
  return (
    <HealthPage
      tab="monitors"
      title={data?.name ?? 'Monitor'}
      actions={data && may('admin') && <Actions monitor={data} onChanged={changed} />}
    >
      <Refused refusal={monitor.refusal ?? history.refusal} again={changed} />
      <Loading when={monitor.loading && !data} />
      {data && <State monitor={data} />}
      {history.data && (
        <>
          <Days history={history.data} />
          <Minutes minutes={history.data.minutes} />
        </>
      )}
      {data && <Incidents key={data.state} monitor={id} />}
    </HealthPage>
  );
}

function State({ monitor }: { monitor: Monitor }) {
  const ends = certificate(monitor.certificate_not_after, clock.value);
  return (
    <div class="stack tight">
      <p class="row">
        <Badge tone={TONES[monitor.state]}>{stateName(monitor.state)}</Badge>
        {monitor.state !== 'unknown' && (
          <span>
            since <Ago at={monitor.since} />
          </span>
        )}
        {ends && (
          <span class="row" title={monitor.certificate_not_after ? full(monitor.certificate_not_after) : undefined}>
            {ends.isSoon ? <Badge tone="warn">certificate {ends.text}</Badge> : `certificate ${ends.text}`}
          </span>
        )}
      </p>
      {monitor.last_check?.error && <p class="bad-text">{monitor.last_check.error}</p>}
      <p class="muted">
        <code>{target(monitor)}</code>, every {count(monitor.interval_s)} s
        {monitor.last_check && (
          <>
            ; last checked <Ago at={monitor.last_check.at} /> in {millis(monitor.last_check.took_ms)}
          </>
        )}
      </p>
    </div>
  );
}

function Actions({ monitor, onChanged }: { monitor: Monitor; onChanged: () => void }) {
  const { route } = useLocation();
  const [open, setOpen] = useState<'form' | 'delete'>();
  const params = { path: { id: monitor.id } };
  const isPaused = monitor.state === 'paused';
  const check = useAction(async () => {
    await answer(POST('/api/v1/monitors/{id}/check', { params }));
    onChanged();
  });
  const pause = useAction(async () => {
    await answer(PATCH('/api/v1/monitors/{id}', { params, body: { paused: !isPaused } }));
    onChanged();
  });
  const remove = useAction(async () => {
    await answer(DELETE('/api/v1/monitors/{id}', { params }));
    toast('Deleted');
    route('/health/monitors');
  });
  return (
    <>
      {!isPaused && (
        <Button busy={check.busy} onClick={() => void check.run()}>
          {check.busy ? 'Checking…' : 'Check now'}
        </Button>
      )}
      <Button busy={pause.busy} onClick={() => void pause.run()}>
        {isPaused ? 'Resume' : 'Pause'}
      </Button>
      <Button onClick={() => setOpen('form')}>Change</Button>
      <Button kind="danger" onClick={() => setOpen('delete')}>
        Delete
      </Button>
      <Refused refusal={check.refusal ?? pause.refusal} />
      {open === 'form' && (
        <MonitorForm
          monitor={monitor}
          onClose={() => setOpen(undefined)}
          onSaved={() => {
            setOpen(undefined);
            onChanged();
          }}
        />
      )}
      {open === 'delete' && (
        <Confirm
          title={`Delete ${monitor.name}?`}
          does="Delete it"
          busy={remove.busy}
          refusal={remove.refusal}
          onConfirm={() => void remove.run()}
          onClose={() => setOpen(undefined)}
        >
          Its history and its incidents go too.
        </Confirm>
      )}
    </>
  );
}

function Days({ history }: { history: Schema<'MonitorHistory'> }) {
  const { days } = history;
  const shares = [
    ['24 hours', history.uptime.last_24h],
    ['7 days', history.uptime.last_7d],
    ['30 days', history.uptime.last_30d],
    ['90 days', history.uptime.last_90d],
  ] as const;
  return (
    <Card title="Uptime">
      <dl class="numbers">
        {shares.map(([name, share]) => (
          <div key={name}>
            <dd>{uptime(share)}</dd>
            <dt class="muted">{name}</dt>
          </div>
        ))}
      </dl>
      <Bars days={days} />
      <AsTable
        label="Uptime by day"
        rows={() => days.filter((one) => one.checks > 0).reverse()}
        keyOf={(one) => one.at}
        columns={[
          { name: 'Day (UTC)', cell: (one) => utcDay(one.at) },
          { name: 'Uptime', number: true, cell: (one) => uptime(one.uptime) },
          { name: 'Checks', number: true, cell: (one) => count(one.checks) },
          { name: 'Failed', number: true, cell: (one) => count(one.failures) },
          { name: 'Answered in', number: true, cell: (one) => millis(one.avg_ms) },
        ]}
      >
        90 days, a bar each.
      </AsTable>
    </Card>
  );
}

function Minutes({ minutes }: { minutes: readonly Schema<'UptimeMinute'>[] }) {
  if (minutes.length === 0) return null;
  const last = minutes.findLast((minute) => minute.avg_ms != null);
  return (
    <Card title="Time to answer, by the minute">
      <p class="muted">{last ? `Now ${millis(last.avg_ms)}.` : 'It did not answer.'}</p>
      <Strip values={minutes.map((minute) => minute.avg_ms ?? null)} label="Time to answer over the last day" />
      <AsTable
        label="Time to answer by the minute"
        rows={() => minutes.toReversed()}
        keyOf={(minute) => minute.at}
        columns={[
          { name: 'Minute', cell: (minute) => full(minute.at) },
          { name: 'Average', number: true, cell: (minute) => millis(minute.avg_ms) },
          { name: 'Longest', number: true, cell: (minute) => millis(minute.max_ms) },
          { name: 'Failed', number: true, cell: (minute) => `${minute.failures} of ${minute.checks}` },
          { name: 'Error', cell: (minute) => minute.error ?? '' },
        ]}
      >
        The last day.
      </AsTable>
    </Card>
  );
}
