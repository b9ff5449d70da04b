import { useState } from 'preact/hooks';
import { answer, PATCH, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused, Select } from '../../../parts/form';
import { changeOf, type Draft, draftOf, EMPTY, newOf } from './draft';
import { OnFields } from './on-fields';
import { where } from './words';

type Alert = Schema<'Alert'>;

/** Makes an alert, or changes one. A new webhook comes with its secret. */
export function AlertForm(props: {
  alert?: Alert;
  onClose: () => void;
  onSaved: (alert: Alert, secret: string | undefined) => void;
}) {
  const { alert } = props;
  const [draft, setDraft] = useState<Draft>(alert ? draftOf(alert) : EMPTY);
  const set = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const save = useAction(async () => {
    if (alert) {
      const params = { path: { id: alert.id } };
      props.onSaved(await answer(PATCH('/api/v1/alerts/{id}', { params, body: changeOf(draft) })), undefined);
    } else {
      const made = await answer(POST('/api/v1/alerts', { body: newOf(draft) }));
      props.onSaved(made.alert, made.secret ?? undefined);
    }
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void save.run();
  };
  return (
    <Dialog title={alert ? 'Change the alert' : 'New alert'} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label="Name" required maxLength={200} value={draft.name} onValue={(name) => set({ name })} />
        {!alert && (
          <Select
            label="Tells by"
            value={draft.to}
            choices={[
              ['webhook', 'Webhook (Slack and Mattermost too)'],
              ['email', 'E-mail'],
            ]}
            onValue={(to) => set({ to })}
          />
        )}
        {draft.to === 'webhook' ? (
          <Field
            label="URL"
            type="url"
            required={!alert}
            placeholder={alert ? `stays ${where(alert)}` : 'https://hooks.example.com/…'}
            value={draft.url}
            onValue={(url) => set({ url })}
          />
        ) : (
          <Field
            label="E-mail addresses"
            required
            hint="Up to 10, with commas between. Each gets a mail of its own."
            value={draft.addresses}
            onValue={(addresses) => set({ addresses })}
          />
        )}
        <OnFields draft={draft} set={set} />
        <label class="row">
          <input
            type="checkbox"
            checked={draft.recover}
            onChange={(event) => set({ recover: event.currentTarget.checked })}
          />
          Tell when it is over, too
        </label>
        <Field
          label="Tell again every (hours)"
          type="number"
          min={0.5}
          max={720}
          step={0.5}
          placeholder="never"
          value={draft.remind}
          onValue={(remind) => set({ remind })}
        />
        <Refused refusal={save.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={save.busy}>
            {alert ? 'Save' : 'Make it'}
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
