import { useState } from 'preact/hooks';
import { answer, DELETE, POST } from '../api/client';
import type { Schema } from '../api/types';
import { useAction } from '../api/use';
import { full } from '../format';
import { Dialog } from '../parts/dialog';
import { Button, Field, Refused } from '../parts/form';
import { Empty } from '../parts/page';
import { may } from '../session';

/** Longest note, in characters: a line of the picture. */
const TEXT_CHARS = 200;

/** A time as a field of this minute has it, on the browser's clock. */
const inField = (at: Date) => new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** Notes on the time line: a release, a campaign, an outage. */
export function NotesDialog(props: {
  notes: readonly Schema<'Annotation'>[];
  onChanged: () => void;
  onClose: () => void;
}) {
  const [at, setAt] = useState(() => inField(new Date()));
  const [text, setText] = useState('');
  const add = useAction(async () => {
    await answer(POST('/api/v1/annotations', { body: { at: new Date(at).toISOString(), text } }));
    setText('');
    props.onChanged();
  });
  return (
    <Dialog title="Notes" onClose={props.onClose}>
      <div class="stack">
        {may('admin') && (
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              void add.run();
            }}
          >
            <Field label="When" type="datetime-local" required value={at} onValue={setAt} />
            <Field
              label="What happened"
              required
              maxLength={TEXT_CHARS}
              placeholder="Release 1.4"
              value={text}
              onValue={setText}
            />
            <Refused refusal={add.refusal} />
            <div class="row">
              <Button kind="primary" type="submit" busy={add.busy}>
                Add the note
              </Button>
            </div>
          </form>
        )}
        {props.notes.length === 0 && (
          <Empty title="No notes yet">A note explains a rise or a fall: a release, a campaign.</Empty>
        )}
        <ul class="kept">
          {props.notes.map((note) => (
            <Note key={note.id} note={note} onRemoved={props.onChanged} />
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

function Note({ note, onRemoved }: { note: Schema<'Annotation'>; onRemoved: () => void }) {
  const remove = useAction(async () => {
    await answer(DELETE('/api/v1/annotations/{id}', { params: { path: { id: note.id } } }));
    onRemoved();
  });
  return (
    <li>
      <div class="kept-head">
        <div>
          {note.text}
          <p class="muted">
            {full(note.at)}, by {note.created_by}
          </p>
        </div>
        {may('admin') && (
          <Button
            kind="quiet"
            busy={remove.busy}
            aria-label={`Remove “${note.text}”`}
            onClick={() => void remove.run()}
          >
            Remove
          </Button>
        )}
      </div>
      <Refused refusal={remove.refusal} />
    </li>
  );
}
