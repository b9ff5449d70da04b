import type { ComponentChildren } from 'preact';
import type { Refusal } from '../api/client';
import { Dialog } from './dialog';
import { Button, Refused } from './form';

/** Asks before something that cannot be taken back. */
export function Confirm(props: {
  title: string;
  /** The word on the button: what will be done. */
  does: string;
  busy: boolean;
  refusal: Refusal | undefined;
  onConfirm: () => void;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div class="stack">
        <p>{props.children}</p>
        <Refused refusal={props.refusal} />
        <div class="row">
          <Button kind="danger" busy={props.busy} onClick={props.onConfirm}>
            {props.does}
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </div>
    </Dialog>
  );
}
