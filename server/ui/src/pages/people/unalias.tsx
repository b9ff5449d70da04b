import { answer, DELETE } from '../../api/client';
import { useAction } from '../../api/use';
import { Dialog } from '../../parts/dialog';
import { Button, Refused } from '../../parts/form';
import { toast } from '../../shell/toasts';

/** Takes an alias back, after a question. */
export function Unalias(props: { event: string; users: [string, string]; onClose: () => void; onDone: () => void }) {
  const undo = useAction(async () => {
    const params = { path: { event_id: props.event } };
    const { still_one } = await answer(DELETE('/v1/aliases/{event_id}', { params }));
    toast(still_one ? 'Taken back. Other aliases still join the two.' : 'Taken back: they are two people again.');
    props.onClose();
    props.onDone();
  });
  return (
    <Dialog title="Take this alias back?" onClose={props.onClose}>
      <div class="stack">
        <p>
          <bdi>{props.users[0]}</bdi> and <bdi>{props.users[1]}</bdi> become two people again, unless another alias
          joins them. Each takes its devices, events and properties along.
        </p>
        <p class="muted">A new $alias event joins them again; the same one that is sent again does not.</p>
        <Refused refusal={undo.refusal} />
        <div class="row">
          <Button kind="primary" busy={undo.busy} onClick={() => void undo.run()}>
            Take it back
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </div>
    </Dialog>
  );
}
