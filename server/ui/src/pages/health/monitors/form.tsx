import { useId, useState } from 'preact/hooks';
import { answer, PATCH, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused, Select } from '../../../parts/form';
import { BODY_KINDS, type Draft, draftOf, EMPTY, monitorOf } from './draft';

type Monitor = Schema<'Monitor'>;

const METHODS = (['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const).map(
  (one) => [one, one] as const,
);

/** Makes a monitor, or changes one. */
export function MonitorForm(props: { monitor?: Monitor; onClose: () => void; onSaved: (saved: Monitor) => void }) {
  const { monitor } = props;
  const [draft, setDraft] = useState<Draft>(monitor ? draftOf(monitor) : EMPTY);
  const set = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  const save = useAction(async () => {
    const body = monitorOf(draft);
    props.onSaved(
      await answer(
        monitor
          ? PATCH('/api/v1/monitors/{id}', { params: { path: { id: monitor.id } }, body })
          : POST('/api/v1/monitors', { body }),
      ),
    );
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void save.run();
  };
  return (
    <Dialog title={monitor ? 'Change the monitor' : 'New monitor'} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label="Name" required maxLength={200} value={draft.name} onValue={(name) => set({ name })} />
        {!monitor && (
          <Select
            label="What is asked"
            value={draft.kind}
            choices={[
              ['http', 'A web address'],
              ['tcp', 'A port'],
            ]}
            onValue={(kind) => set({ kind })}
          />
        )}
        {draft.kind === 'tcp' ? <Tcp draft={draft} set={set} /> : <Http draft={draft} set={set} />}
        <div class="pair">
          <Field
            label="Every (seconds)"
            type="number"
            min={10}
            max={3600}
            required
            value={draft.interval}
            onValue={(interval) => set({ interval })}
          />
          <Field
            label="Time to answer (seconds)"
            type="number"
            min={1}
            max={30}
            step={0.1}
            required
            value={draft.timeout}
            onValue={(timeout) => set({ timeout })}
          />
        </div>
        <Refused refusal={save.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={save.busy}>
            {monitor ? 'Save' : 'Make it'}
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

type Part = { draft: Draft; set: (changes: Partial<Draft>) => void };

function Tcp({ draft, set }: Part) {
  return (
    <div class="pair">
      <Field label="Host" required value={draft.host} onValue={(host) => set({ host })} />
      <Field
        label="Port"
        type="number"
        min={1}
        max={65535}
        required
        value={draft.port}
        onValue={(port) => set({ port })}
      />
    </div>
  );
}

function Http({ draft, set }: Part) {
  const id = useId();
  return (
    <>
      <Field
        label="Address"
        type="url"
        required
        placeholder="https://shop.example/health"
        value={draft.url}
        onValue={(url) => set({ url })}
      />
      <details open={draft.expected.length > 0 || draft.headers.length > 0 || draft.method !== 'GET'}>
        <summary>What is sent, and what must come back</summary>
        <div class="stack">
          <div class="pair">
            <Select label="Method" value={draft.method} choices={METHODS} onValue={(method) => set({ method })} />
            <Field
              label="Status"
              hint="200-299, 404"
              required
              value={draft.status}
              onValue={(status) => set({ status })}
            />
          </div>
          <Expected draft={draft} set={set} />
          <Headers draft={draft} set={set} />
          {draft.method !== 'GET' && draft.method !== 'HEAD' && (
            <div class="field">
              <label for={id}>Body</label>
              <textarea
                id={id}
                rows={3}
                value={draft.body}
                onInput={(event) => set({ body: event.currentTarget.value })}
              />
            </div>
          )}
          <label class="row">
            <input
              type="checkbox"
              checked={draft.follows}
              onChange={(event) => set({ follows: event.currentTarget.checked })}
            />
            Follow redirects
          </label>
        </div>
      </details>
    </>
  );
}

function Expected({ draft, set }: Part) {
  const put = (at: number, changes: object) =>
    set({ expected: draft.expected.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
  return (
    <fieldset class="rows">
      <legend>The body</legend>
      {draft.expected.map((one, at) => (
        <div class="typed-row" key={at}>
          <Select label="How" bare value={one.kind} choices={BODY_KINDS} onValue={(kind) => put(at, { kind })} />
          {one.kind === 'json' && (
            <Field
              label="Where"
              bare
              placeholder="/status"
              value={one.pointer}
              onValue={(pointer) => put(at, { pointer })}
            />
          )}
          <Field label="What" bare placeholder="ok" value={one.value} onValue={(value) => put(at, { value })} />
          <Button
            kind="quiet"
            aria-label="Not this"
            onClick={() => set({ expected: draft.expected.filter((_, index) => index !== at) })}
          >
            ✕
          </Button>
        </div>
      ))}
      <Button onClick={() => set({ expected: [...draft.expected, { kind: 'contains', value: '', pointer: '' }] })}>
        Expect something
      </Button>
    </fieldset>
  );
}

function Headers({ draft, set }: Part) {
  const put = (at: number, changes: object) =>
    set({ headers: draft.headers.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
  return (
    <fieldset class="rows">
      <legend>Headers</legend>
      {draft.headers.map((one, at) => (
        <div class="typed-row" key={at}>
          <Field label="Name" bare placeholder="Authorization" value={one.name} onValue={(name) => put(at, { name })} />
          <Field
            label="Value"
            bare
            placeholder={one.value === null ? 'kept, and never shown' : 'Value'}
            value={one.value ?? ''}
            onValue={(value) => put(at, { value })}
          />
          <Button
            kind="quiet"
            aria-label="Not this header"
            onClick={() => set({ headers: draft.headers.filter((_, index) => index !== at) })}
          >
            ✕
          </Button>
        </div>
      ))}
      <Button onClick={() => set({ headers: [...draft.headers, { name: '', value: '' }] })}>Add a header</Button>
    </fieldset>
  );
}
