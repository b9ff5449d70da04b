import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './form';

/** Something that wants an answer first. Escape and a click beside it close it; the focus goes back where it was. */
export function Dialog(props: { title: string; onClose: () => void; wide?: boolean; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isGone = useRef(false);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
    return () => {
      isGone.current = true;
      shown?.close();
    };
  }, []);
  // A dialog that is taken away because something else is shown was closed by nobody.
  const closed = () => !isGone.current && props.onClose();
  const beside = (event: MouseEvent) => event.target === dialog.current && props.onClose();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself.
    <dialog ref={dialog} class={props.wide ? 'wide' : undefined} aria-labelledby={id} onClose={closed} onClick={beside}>
      <div class="dialog-body">
        <header class="card-head">
          <h2 id={id}>{props.title}</h2>
          <Button kind="quiet" aria-label="Close" onClick={props.onClose}>
            ✕
          </Button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
