import type { ComponentChildren } from 'preact';
import { Snippet } from './copy';
import { Dialog } from './dialog';
import { Button } from './form';

/** A secret that is shown this one time. */
export function Once(props: {
  title: string;
  text: string;
  label: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div class="stack">
        <p>{props.children}</p>
        <Snippet text={props.text} label={props.label} />
        <div class="row">
          <Button kind="primary" onClick={props.onClose}>
            I have it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
