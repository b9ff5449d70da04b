import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, DELETE, PATCH, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { full } from '../../../format';
import { Confirm } from '../../../parts/confirm';
import { Dialog } from '../../../parts/dialog';
import { Button, Refused, Select } from '../../../parts/form';
import { Once } from '../../../parts/once';
import { clock } from '../../../parts/time';
import { toast } from '../../../shell/toasts';
import { AlertForm } from './form';
import { Attempts } from './log';

type Alert = Schema<'Alert'>;

const SILENCES = [
  ['60', 'an hour'],
  ['240', '4 hours'],
  ['1440', 'a day'],
  ['10080', 'a week'],
] as const;

/** What can be done with an alert. */
export function AlertActions({ alert, onChanged }: { alert: Alert; onChanged: () => void }) {
  const { route } = useLocation();
  const [open, setOpen] = useState<'form' | 'delete' | 'rotate' | 'silence'>();
  const [tried, setTried] = useState<Schema<'Tried'>>();
  const [rotated, setRotated] = useState<Schema<'RotatedSecret'>>();
  const params = { path: { id: alert.id } };
  const close = () => setOpen(undefined);
  const test = useAction(async () => {
    setTried(await answer(POST('/api/v1/alerts/{id}/test', { params })));
    onChanged();
  });
  const silence = useAction(async (minutes: number) => {
    await answer(POST('/api/v1/alerts/{id}/silence', { params, body: { minutes } }));
    toast(minutes === 0 ? 'It tells again' : 'Silenced');
    close();
    onChanged();
  });
  const enable = useAction(async () => {
    await answer(PATCH('/api/v1/alerts/{id}', { params, body: { enabled: !alert.enabled } }));
    onChanged();
  });
  const rotate = useAction(async () => {
    setRotated(await answer(POST('/api/v1/alerts/{id}/rotate-secret', { params })));
    close();
  });
  const remove = useAction(async () => {
    await answer(DELETE('/api/v1/alerts/{id}', { params }));
    toast('Deleted');
    route('/settings/alerts');
  });
  const isSilent = alert.silenced_until != null && Date.parse(alert.silenced_until) > clock.value;
  return (
    <>
      <Button kind="primary" busy={test.busy} onClick={() => void test.run()}>
        {test.busy ? 'Sending…' : 'Send a test'}
      </Button>
      <Button busy={silence.busy} onClick={() => (isSilent ? void silence.run(0) : setOpen('silence'))}>
        {isSilent ? 'End the silence' : 'Silence'}
      </Button>
      <Button busy={enable.busy} onClick={() => void enable.run()}>
        {alert.enabled ? 'Turn off' : 'Turn on'}
      </Button>
      <Button onClick={() => setOpen('form')}>Change</Button>
      {'webhook' in alert.to && <Button onClick={() => setOpen('rotate')}>New secret</Button>}
      <Button kind="danger" onClick={() => setOpen('delete')}>
        Delete
      </Button>
      <Refused refusal={test.refusal ?? enable.refusal ?? (open ? undefined : silence.refusal)} />
      {open === 'form' && (
        <AlertForm
          alert={alert}
          onClose={close}
          onSaved={() => {
            close();
            onChanged();
          }}
        />
      )}
      {open === 'silence' && (
        <Silence
          busy={silence.busy}
          refused={<Refused refusal={silence.refusal} />}
          onClose={close}
          onSilence={silence.run}
        />
      )}
      {open === 'rotate' && (
        <Confirm
          title="Another secret?"
          does="Make another"
          busy={rotate.busy}
          refusal={rotate.refusal}
          onConfirm={() => void rotate.run()}
          onClose={close}
        >
          For 24 hours messages are signed with both, so that you can take your time to change it at the receiver.
        </Confirm>
      )}
      {open === 'delete' && (
        <Confirm
          title={`Delete ${alert.name}?`}
          does="Delete it"
          busy={remove.busy}
          refusal={remove.refusal}
          onConfirm={() => void remove.run()}
          onClose={close}
        >
          Nobody is told by it any more, and its log goes too.
        </Confirm>
      )}
      {rotated && (
        <Once title="The new secret" label="Secret" text={rotated.secret} onClose={() => setRotated(undefined)}>
          It is shown only now. The one before goes on signing beside it until {full(rotated.old_until)}.
        </Once>
      )}
      {tried && <Tried tried={tried} onClose={() => setTried(undefined)} />}
    </>
  );
}

function Silence(props: {
  busy: boolean;
  refused: preact.ComponentChildren;
  onClose: () => void;
  onSilence: (minutes: number) => Promise<unknown>;
}) {
  const [minutes, setMinutes] = useState<(typeof SILENCES)[number][0]>('60');
  return (
    <Dialog title="Silence" onClose={props.onClose}>
      <div class="stack">
        <p>Nothing is sent meanwhile. What begins then and is still so afterwards is told afterwards.</p>
        <Select label="For" value={minutes} choices={SILENCES} onValue={setMinutes} />
        {props.refused}
        <div class="row">
          <Button kind="primary" busy={props.busy} onClick={() => void props.onSilence(Number(minutes))}>
            Silence it
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </div>
    </Dialog>
  );
}

function Tried({ tried, onClose }: { tried: Schema<'Tried'>; onClose: () => void }) {
  return (
    <Dialog title={tried.delivered ? 'The test was delivered' : 'The test was not delivered'} onClose={onClose}>
      <div class="stack">
        {tried.deliveries.map((delivery) => (
          <section key={delivery.message}>
            {delivery.recipient && <h3>{delivery.recipient}</h3>}
            <Attempts attempts={delivery.attempts} />
          </section>
        ))}
        <div class="row">
          <Button kind="primary" onClick={onClose}>
            Close
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
