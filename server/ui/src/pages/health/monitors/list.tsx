import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { millis } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Button, Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Empty } from '../../../parts/page';
import { Ago, clock } from '../../../parts/time';
import { may } from '../../../session';
import { HealthPage } from '../frame';
import { Bars } from './bars';
import { MonitorForm } from './form';
import { certificate, stateName, TONES, target, uptime } from './uptime';

type Monitor = Schema<'Monitor'>;

const WORST_FIRST = ['down', 'failing', 'unknown', 'up', 'paused'];

/** What is asked from outside whether it is well; what is down comes first. */
export function MonitorList() {
  const { route } = useLocation();
  const [isMaking, setIsMaking] = useState(false);
  const monitors = useAnswer((signal) => answer(GET('/api/v1/monitors', { signal })), []);
  const rows = (monitors.data?.monitors ?? []).toSorted(
    (a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state) || a.name.localeCompare(b.name),
  );
  const make = may('admin') && (
    <Button kind="primary" onClick={() => setIsMaking(true)}>
      New monitor
    </Button>
  );
  return (
    <HealthPage tab="monitors" actions={make}>
      <Refused refusal={monitors.refusal} again={monitors.again} />
      <Loading when={monitors.loading && !monitors.data} />
      {monitors.data && rows.length === 0 && (
        <Empty title="No monitors yet">
          A monitor asks an address again and again whether it is well, and tells when it is not.
        </Empty>
      )}
      {rows.length > 0 && (
        <ul class="entries card flush">
          {rows.map((monitor) => (
            <Row key={monitor.id} monitor={monitor} />
          ))}
        </ul>
      )}
      {isMaking && (
        <MonitorForm onClose={() => setIsMaking(false)} onSaved={(made) => route(`/health/monitors/${made.id}`)} />
      )}
    </HealthPage>
  );
}

function Row({ monitor }: { monitor: Monitor }) {
  const history = useAnswer(
    (signal) => answer(GET('/api/v1/monitors/{id}/history', { params: { path: { id: monitor.id } }, signal })),
    [monitor.id],
  );
  const ends = certificate(monitor.certificate_not_after, clock.value);
  return (
    <li class="entry">
      <div class="entry-what">
        <span class="row">
          <a href={`/health/monitors/${monitor.id}`}>{monitor.name}</a>
          <Badge tone={TONES[monitor.state]}>{stateName(monitor.state)}</Badge>
          {ends && (ends.isSoon ? <Badge tone="warn">certificate {ends.text}</Badge> : null)}
        </span>
        <span class="muted">{monitor.last_check?.error ?? target(monitor)}</span>
      </div>
      <div>
        {history.data && <Bars days={history.data.days} />}
        <div class="course-axis muted" aria-hidden="true">
          <span>90 days ago</span>
          <span>today</span>
        </div>
      </div>
      <dl class="entry-numbers">
        <div>
          <dd>{history.data ? uptime(history.data.uptime.last_90d) : '…'}</dd>
          <dt class="muted">90 days</dt>
        </div>
        <div>
          <dd>{history.data ? uptime(history.data.uptime.last_24h) : '…'}</dd>
          <dt class="muted">24 hours</dt>
        </div>
        <div>
          <dd>{millis(monitor.last_check?.took_ms)}</dd>
          <dt class="muted">{monitor.last_check ? <Ago at={monitor.last_check.at} /> : 'no check'}</dt>
        </div>
      </dl>
    </li>
  );
}
