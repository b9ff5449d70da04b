import { useState } from 'preact/hooks';
import { useAction } from '../api/use';
import { Dialog } from '../parts/dialog';
import { Button, Field, Refused } from '../parts/form';
import type { Question } from '../question/question';
import { toast } from '../shell/toasts';
import { changeSaved, type SavedQuery, save } from './keep';

/** Longest name of what is kept, in characters, as the server has it. */
export const NAME_CHARS = 200;

/** Keeps a question: under a name, or in place of the one that it was made of. */
export function SaveDialog(props: {
  question: Question;
  saved: SavedQuery | undefined;
  onSaved: (saved: SavedQuery) => void;
  onClose: () => void;
}) {
  const { question, saved } = props;
  const [name, setName] = useState(saved?.name ?? '');
  const [watched, setWatched] = useState(saved?.watched ?? false);
  const isFunnel = question.kind === 'funnel';
  const keep = useAction(async (inPlace: boolean) => {
    const kept =
      inPlace && saved
        ? await changeSaved(saved.id, { name, query: question, watched: isFunnel && watched })
        : await save(name, question, isFunnel && watched);
    toast(`“${kept.name}” is saved.`);
    props.onSaved(kept);
    props.onClose();
  });
  return (
    <Dialog title={saved ? 'Save the question' : 'Save this question'} onClose={props.onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void keep.run(saved !== undefined);
        }}
      >
        <Field label="Name" required maxLength={NAME_CHARS} value={name} onValue={setName} />
        {isFunnel && (
          <label class="check">
            <input type="checkbox" checked={watched} onChange={(event) => setWatched(event.currentTarget.checked)} />
            Watch it: say so on Now when far fewer people get through than the week before
          </label>
        )}
        <Refused refusal={keep.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={keep.busy}>
            {saved ? 'Save the changes' : 'Save'}
          </Button>
          {saved && (
            <Button busy={keep.busy} onClick={() => void keep.run(false)}>
              Save as another
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
