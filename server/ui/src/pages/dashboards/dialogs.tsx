import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { useAction } from '../../api/use';
import { changeDashboard, deleteDashboard, type SavedQuery, TILES, type Tile, tileOf } from '../../keeping/keep';
import { NAME_CHARS } from '../../keeping/save-dialog';
import { Confirm } from '../../parts/confirm';
import { Dialog } from '../../parts/dialog';
import { Button, Field, Refused } from '../../parts/form';
import { Empty } from '../../parts/page';
import { questionSaid } from '../../question/words';
import { toast } from '../../shell/toasts';

/** Chooses among the saved questions that are not on the dashboard yet. */
export function AddQuestion(props: {
  saved: readonly SavedQuery[];
  tiles: readonly Tile[];
  onAdd: (tiles: Tile[]) => void;
  onClose: () => void;
}) {
  const { saved, tiles, onAdd } = props;
  const others = saved.filter((one) => !tiles.some((tile) => tile.saved_query === one.id));
  return (
    <Dialog title="Add a question" wide onClose={props.onClose}>
      {tiles.length >= TILES && <Empty title="The dashboard is full">It has {TILES} questions.</Empty>}
      {tiles.length < TILES && others.length === 0 && (
        <Empty title="Every saved question is here already">
          <a href="/explore">Ask another</a>, save it, and add it.
        </Empty>
      )}
      <ul class="kept">
        {tiles.length < TILES &&
          others.map((one) => (
            <li key={one.id}>
              <div class="kept-head">
                <div>
                  {one.name}
                  <p class="muted">{questionSaid(one.query as never)}</p>
                </div>
                <Button aria-label={`Add “${one.name}”`} onClick={() => onAdd([...tiles, tileOf(one.id)])}>
                  Add
                </Button>
              </div>
            </li>
          ))}
      </ul>
    </Dialog>
  );
}

export function Rename(props: { id: number; name: string; onRenamed: () => void; onClose: () => void }) {
  const [name, setName] = useState(props.name);
  const rename = useAction(async () => {
    await changeDashboard(props.id, { name });
    props.onRenamed();
    props.onClose();
  });
  return (
    <Dialog title="Rename the dashboard" onClose={props.onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void rename.run();
        }}
      >
        <Field label="Name" required maxLength={NAME_CHARS} value={name} onValue={setName} />
        <Refused refusal={rename.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={rename.busy}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function Delete({ id, name, onClose }: { id: number; name: string; onClose: () => void }) {
  const { route } = useLocation();
  const remove = useAction(async () => {
    await deleteDashboard(id);
    toast(`“${name}” is deleted.`);
    route('/dashboards');
  });
  return (
    <Confirm
      title={`Delete “${name}”?`}
      does="Delete it"
      busy={remove.busy}
      refusal={remove.refusal}
      onConfirm={() => void remove.run()}
      onClose={onClose}
    >
      Links to it end. The questions stay saved.
    </Confirm>
  );
}
