import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, DELETE } from '../../api/client';
import type { Schema } from '../../api/types';
import { useAction } from '../../api/use';
import { counted } from '../../format';
import { Dialog } from '../../parts/dialog';
import { Button, Field, Refused } from '../../parts/form';
import { toast } from '../../shell/toasts';
import { toType } from './confirm';

/** Erases a person, after its id was typed. */
export function Erase(props: { id: string; person: Schema<'Person'>; onClose: () => void }) {
  const { id, person } = props;
  const { route } = useLocation();
  const [typed, setTyped] = useState('');
  const wanted = toType(id);
  const erase = useAction(async () => {
    const erasure = await answer(DELETE('/v1/persons/{id}', { params: { path: { id } } }));
    const gone = counted(erasure.events, 'event', 'events');
    toast(erasure.done ? `Erased, with ${gone}.` : `${gone} are erased so far; the server goes on with the rest.`);
    props.onClose();
    route('/people');
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (typed === wanted) void erase.run();
  };
  return (
    <Dialog title="Erase this person?" onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <p>
          {counted(person.events, 'event', 'events')} and {counted(person.identity_count, 'id', 'ids')} of{' '}
          <bdi class="id">{id}</bdi> are removed for good, with all that is known about it. Nobody can bring them back.
        </p>
        <ul class="muted">
          <li>What its devices captured before now and send later is refused.</li>
          <li>What the same ids do from now on is a new person.</li>
          <li>Backups and logs are not touched.</li>
        </ul>
        <Field
          label={`Type ${wanted} to erase it`}
          name="confirmation"
          autocomplete="off"
          value={typed}
          onValue={setTyped}
        />
        <Refused refusal={erase.refusal} />
        <div class="row">
          <Button kind="danger" type="submit" busy={erase.busy} disabled={typed !== wanted}>
            Erase for good
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
