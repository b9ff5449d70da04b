import { useState } from 'preact/hooks';
import { answer, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused, Select } from '../../../parts/form';

/** Makes a key. */
export function NewKey(props: { onClose: () => void; onMade: (made: Schema<'KeyMade'>) => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Schema<'KeyKind'>>('write');
  const make = useAction(async () =>
    props.onMade(await answer(POST('/api/v1/keys', { body: { kind, name: name.trim() } }))),
  );
  const submit = (event: Event) => {
    event.preventDefault();
    void make.run();
  };
  return (
    <Dialog title="New key" onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <Select
          label="What it may do"
          value={kind}
          choices={[
            ['write', 'Send events: public, for apps and pages'],
            ['secret', 'Read and administer: for servers and scripts of yours'],
          ]}
          onValue={setKind}
        />
        <Field
          label="Name"
          hint="Where it is used, so that you know what breaks when you revoke it."
          required
          maxLength={200}
          placeholder={kind === 'write' ? 'Android app' : 'Nightly report'}
          value={name}
          onValue={setName}
        />
        <Refused refusal={make.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={make.busy}>
            Make it
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
