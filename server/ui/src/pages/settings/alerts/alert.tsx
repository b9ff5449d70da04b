import { useState } from 'preact/hooks';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { counted, full, seconds } from '../../../format';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { may } from '../../../session';
import { SettingsPage } from '../frame';
import { AlertActions } from './actions';
import { Log } from './log';
import { AlertState, where, which } from './words';

type Alert = Schema<'Alert'>;

/** One alert: what it tells, to whom, and what became of each message. */
export function AlertPage({ params }: { params: { id: string } }) {
  return <One key={params.id} id={Number(params.id)} />;
}

function One({ id }: { id: number }) {
  const alert = useAnswer((signal) => answer(GET('/api/v1/alerts/{id}', { params: { path: { id } }, signal })), [id]);
  // Messages are listed anew after whatever may have sent one.
  const [turn, setTurn] = useState(0);
  const changed = () => {
    alert.again();
    setTurn(turn + 1);
  };
  const { data } = alert;
  return (
    <SettingsPage
      tab="alerts"
      title={data?.name ?? 'Alert'}
      actions={data && may('admin') && <AlertActions alert={data} onChanged={changed} />}
    >
      <Refused refusal={alert.refusal} again={alert.again} />
      <Loading when={alert.loading && !data} />
      {data && (
        <>
          <Facts alert={data} />
          <Log alert={id} turn={turn} onRetried={changed} />
        </>
      )}
    </SettingsPage>
  );
}

function Facts({ alert }: { alert: Alert }) {
  const { remind_every_minutes: remind, silenced_until: until } = alert;
  return (
    <div class="stack tight">
      <p class="row">
        <AlertState alert={alert} />
        {until && Date.parse(until) > Date.now() && <span>until {full(until)}</span>}
        {alert.waiting > 0 && <span>{counted(alert.waiting, 'message waits', 'messages wait')}</span>}
      </p>
      <p>
        Tells {which(alert)}, to <code>{where(alert)}</code>
        {alert.recover && ', and when it is over'}
        {remind != null && `; again every ${seconds(remind * 60)}`}.
      </p>
      <p class="muted">
        Made by {alert.created_by}, {full(alert.created_at)}.
      </p>
    </div>
  );
}
