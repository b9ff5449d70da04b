import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, GET } from '../../../api/client';
import { useAnswer } from '../../../api/use';
import { Button, Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Once } from '../../../parts/once';
import { Empty } from '../../../parts/page';
import { may } from '../../../session';
import { SettingsPage } from '../frame';
import { AlertForm } from './form';
import { AlertState, where, which } from './words';

/** Who is told of what is broken. */
export function AlertList() {
  const { route } = useLocation();
  const [isMaking, setIsMaking] = useState(false);
  const [made, setMade] = useState<{ id: number; secret: string }>();
  const alerts = useAnswer((signal) => answer(GET('/api/v1/alerts', { signal })), []);
  const rows = alerts.data?.alerts ?? [];
  return (
    <SettingsPage
      tab="alerts"
      actions={
        may('admin') && (
          <Button kind="primary" onClick={() => setIsMaking(true)}>
            New alert
          </Button>
        )
      }
    >
      <Refused refusal={alerts.refusal} again={alerts.again} />
      <Loading when={alerts.loading && !alerts.data} />
      {alerts.data && rows.length === 0 && (
        <Empty title="Nobody is told yet">
          An alert tells of what is broken by webhook, Slack and Mattermost included, or by e-mail.
        </Empty>
      )}
      {rows.length > 0 && (
        <ul class="lines card flush">
          {rows.map((alert) => (
            <li key={alert.id} class="line">
              <div class="named">
                <a href={`/settings/alerts/${alert.id}`}>{alert.name}</a>
                <span class="muted">
                  tells {which(alert)} → {where(alert)}
                </span>
              </div>
              <AlertState alert={alert} />
            </li>
          ))}
        </ul>
      )}
      {isMaking && (
        <AlertForm
          onClose={() => setIsMaking(false)}
          onSaved={(alert, secret) => {
            setIsMaking(false);
            if (secret) setMade({ id: alert.id, secret });
            else route(`/settings/alerts/${alert.id}`);
          }}
        />
      )}
      {made && (
        <Once
          title="The secret of the webhook"
          label="Secret"
          text={made.secret}
          onClose={() => route(`/settings/alerts/${made.id}`)}
        >
          Whoever receives the webhook verifies with it that a message is ours, as Standard Webhooks says. It is shown
          only now.
        </Once>
      )}
    </SettingsPage>
  );
}
