import { useState } from 'preact/hooks';
import { useAction } from '../api/use';
import { Dialog } from '../parts/dialog';
import { Button, Field, Refused, Select } from '../parts/form';
import { toast } from '../shell/toasts';
import { changeDashboard, makeDashboard, TILES, tileOf, useDashboards, wholeTile } from './keep';
import { NAME_CHARS } from './save-dialog';

/** Puts a question on a dashboard. One that is not kept yet is kept first. */
export function AddDialog(props: {
  /** The number of the question, or how to keep it under a name. */
  saved: number | ((name: string) => Promise<number>);
  onClose: () => void;
}) {
  const { saved, onClose } = props;
  const dashboards = useDashboards();
  const room = dashboards.data?.filter((one) => one.tiles.length < TILES) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [name, setName] = useState('');
  const [board, setBoard] = useState('');
  const which = chosen ?? String(room[0]?.id ?? 'new');
  const add = useAction(async () => {
    const id = typeof saved === 'number' ? saved : await saved(name);
    const onto = room.find((one) => String(one.id) === which);
    const made = onto
      ? await changeDashboard(onto.id, { tiles: [...onto.tiles.map(wholeTile), tileOf(id)] })
      : await makeDashboard(board, [tileOf(id)]);
    toast(`It is on “${made.name}” now.`);
    onClose();
  });
  return (
    <Dialog title="Add to a dashboard" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void add.run();
        }}
      >
        <Refused refusal={dashboards.refusal} again={dashboards.again} />
        {typeof saved !== 'number' && (
          <Field
            label="Name of the question"
            hint="It is saved under this name."
            required
            maxLength={NAME_CHARS}
            value={name}
            onValue={setName}
          />
        )}
        <Select
          label="Dashboard"
          value={which}
          choices={[...room.map((one) => [String(one.id), one.name] as const), ['new', 'A new dashboard'] as const]}
          onValue={setChosen}
        />
        {which === 'new' && (
          <Field label="Name of the dashboard" required maxLength={NAME_CHARS} value={board} onValue={setBoard} />
        )}
        <Refused refusal={add.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={add.busy} disabled={!dashboards.data}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
