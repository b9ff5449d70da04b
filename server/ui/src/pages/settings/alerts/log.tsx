import { answer, GET, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction, usePages } from '../../../api/use';
import { full, millis } from '../../../format';
import { useAddress } from '../../../parts/address';
import { Badge, type Tone } from '../../../parts/badge';
import { Button, Refused, Select } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { More } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';
import { Sentence } from '../../now/problem';

type Delivery = Schema<'AlertDelivery'>;
type State = Schema<'DeliveryState'>;

const STATES: [State | '', string][] = [
  ['', 'All messages'],
  ['waiting', 'Waiting'],
  ['delivered', 'Delivered'],
  ['dead', 'Given up'],
  ['withdrawn', 'Not needed any more'],
];

const TONES: Record<State, Tone> = { waiting: 'warn', delivered: 'good', dead: 'bad', withdrawn: 'plain' };

const NAMES: Record<State, string> = {
  waiting: 'waits',
  delivered: 'delivered',
  dead: 'given up',
  withdrawn: 'not needed any more',
};

const OCCASIONS: Record<Schema<'DeliveryOccasion'>, string> = {
  opened: 'It began',
  closed: 'It is over',
  reminder: 'Still so',
  test: 'A test',
};

/** Every message of an alert with every attempt, of 30 days. */
export function Log({ alert, turn, onRetried }: { alert: number; turn: number; onRetried: () => void }) {
  const { query, change } = useAddress();
  const state = (query.state ?? '') as State | '';
  const log = usePages(
    async (cursor, signal) => {
      const asked = { limit: 30, ...(state && { state }), ...(cursor && { cursor }) };
      const path = { id: alert };
      const page = await answer(
        GET('/api/v1/alerts/{id}/deliveries', { params: { path, query: asked as object }, signal }),
      );
      return { rows: page.deliveries, next: page.next_cursor };
    },
    [alert, state, turn],
  );
  return (
    <Card
      title="Messages"
      actions={
        <Select label="Which messages" bare value={state} choices={STATES} onValue={(state) => change({ state })} />
      }
    >
      <Refused refusal={log.refusal} again={log.again} />
      {log.rows.length === 0 && !log.loading && !log.refusal && <p class="muted">None in the last 30 days.</p>}
      {log.rows.length > 0 && (
        <ul class="lines log">
          {log.rows.map((delivery) => (
            <Line key={delivery.message + delivery.recipient} alert={alert} delivery={delivery} onRetried={onRetried} />
          ))}
        </ul>
      )}
      <More more={log.more} loading={log.loading} />
    </Card>
  );
}

function Line({ alert, delivery, onRetried }: { alert: number; delivery: Delivery; onRetried: () => void }) {
  const path = { id: alert, message: delivery.message };
  const retry = useAction(async () => {
    await answer(POST('/api/v1/alerts/{id}/deliveries/{message}/retry', { params: { path } }));
    toast('It is tried again');
    onRetried();
  });
  return (
    <li class="line">
      <div class="named">
        <span>
          {OCCASIONS[delivery.occasion]}: <Sentence text={delivery.what} />
        </span>
        <span class="muted facts">
          <Badge tone={TONES[delivery.state]}>{NAMES[delivery.state]}</Badge>
          <span>{full(delivery.created_at)}</span>
          {delivery.recipient && <span>{delivery.recipient}</span>}
          {delivery.next_attempt_at && (
            <span>
              next attempt <Ago at={delivery.next_attempt_at} />
            </span>
          )}
        </span>
        {delivery.attempts.length > 0 && (
          <details>
            <summary>{delivery.attempts.length === 1 ? '1 attempt' : `${delivery.attempts.length} attempts`}</summary>
            <Attempts attempts={delivery.attempts} />
          </details>
        )}
        <Refused refusal={retry.refusal} />
      </div>
      {may('admin') && (delivery.state === 'dead' || delivery.state === 'waiting') && (
        <Button busy={retry.busy} onClick={() => void retry.run()}>
          Try again
        </Button>
      )}
    </li>
  );
}

/** What each attempt came to, with what was answered. */
export function Attempts({ attempts }: { attempts: readonly Schema<'DeliveryAttempt'>[] }) {
  return (
    <ol class="attempts">
      {attempts.map((one) => (
        <li key={one.attempt}>
          <span class="facts">
            <strong>{one.delivered ? 'delivered' : one.delivered === false ? 'failed' : 'under way'}</strong>
            <span>{full(one.at)}</span>
            {one.status != null && <span>status {one.status}</span>}
            {one.took_ms != null && <span>{millis(one.took_ms)}</span>}
          </span>
          {one.error && <p class="bad-text">{one.error}</p>}
          {one.body && <pre class="json">{one.body}</pre>}
        </li>
      ))}
    </ol>
  );
}
