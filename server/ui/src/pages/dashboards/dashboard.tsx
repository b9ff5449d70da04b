import '../../styles/board.css';
import '../../styles/keeping.css';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { answer, GET } from '../../api/client';
import { Lanes } from '../../api/lanes';
import { useAction, useAnswer } from '../../api/use';
import { changed, moved, without } from '../../keeping/board';
import { changeDashboard, type Tile, useSavedQueries, wholeTile } from '../../keeping/keep';
import { useNotes } from '../../keeping/notes';
import { ShareDialog } from '../../keeping/share-dialog';
import { Button, Refused } from '../../parts/form';
import { Empty, Page } from '../../parts/page';
import { may } from '../../session';
import { useKeys } from '../../shell/keys';
import { AddQuestion, Delete, Rename } from './dialogs';
import { BoardTile } from './tile';

/** So many questions are asked at a time: the server answers as many of a project at once. */
const AT_ONCE = 4;

/** Saved questions, looked at together. */
export default function Dashboard() {
  const id = Number(useRoute().params.id);
  const board = useAnswer(
    (signal) => answer(GET('/api/v1/dashboards/{id}', { params: { path: { id } }, signal })),
    [id],
  );
  const saved = useSavedQueries();
  const { marks } = useNotes();
  const [tiles, setTiles] = useState<Tile[]>();
  const [editing, setEditing] = useState(false);
  const [doing, setDoing] = useState<'add' | 'share' | 'rename' | 'delete'>();
  const lanes = useMemo(() => new Lanes(AT_ONCE), [id]);
  useEffect(() => setTiles(board.data?.tiles.map(wholeTile)), [board.data]);

  const change = useAction(async (next: Tile[]) => {
    const before = tiles;
    setTiles(next);
    try {
      await changeDashboard(id, { tiles: next });
    } catch (refusal) {
      setTiles(before);
      throw refusal;
    }
  });
  const mayEdit = may('admin');
  useKeys(
    useMemo(
      () => (mayEdit ? [{ keys: 'e', does: 'Arrange the dashboard', run: () => setEditing((now) => !now) }] : []),
      [mayEdit],
    ),
  );
  const name = board.data?.name ?? 'Dashboard';
  const onClose = () => setDoing(undefined);
  const actions = mayEdit && board.data && (
    <>
      {editing && (
        <>
          <Button onClick={() => setDoing('rename')}>Rename</Button>
          <Button onClick={() => setDoing('delete')}>Delete</Button>
        </>
      )}
      <Button onClick={() => setDoing('add')}>Add a question</Button>
      <Button onClick={() => setDoing('share')}>Share</Button>
      <Button kind={editing ? 'primary' : 'plain'} onClick={() => setEditing(!editing)}>
        {editing ? 'Done' : 'Arrange'}
      </Button>
    </>
  );
  return (
    <Page title={name} actions={actions}>
      <Refused refusal={board.refusal} again={board.again} />
      <Refused refusal={saved.refusal} again={saved.again} />
      <Refused refusal={change.refusal} />
      {tiles?.length === 0 && (
        <div class="card">
          <Empty title="Nothing is shown here yet">
            {mayEdit ? 'Add a question that is saved, or ' : ''}
            <a href="/explore">ask something</a>.
          </Empty>
        </div>
      )}
      <div class="board">
        {tiles?.map((tile, at) => (
          <BoardTile
            key={tile.saved_query}
            tile={tile}
            saved={saved.data?.find((one) => one.id === tile.saved_query)}
            lanes={lanes}
            marks={marks}
            arrange={
              editing
                ? {
                    isFirst: at === 0,
                    isLast: at === tiles.length - 1,
                    move: (by) => void change.run(moved(tiles, at, by)),
                    change: (how) => void change.run(changed(tiles, at, how)),
                    remove: () => void change.run(without(tiles, at)),
                  }
                : undefined
            }
          />
        ))}
      </div>
      {doing === 'add' && tiles && (
        <AddQuestion saved={saved.data ?? []} tiles={tiles} onAdd={(next) => void change.run(next)} onClose={onClose} />
      )}
      {doing === 'share' && <ShareDialog shown={{ dashboard: id }} name={name} onClose={onClose} />}
      {doing === 'rename' && <Rename id={id} name={name} onRenamed={board.again} onClose={onClose} />}
      {doing === 'delete' && <Delete id={id} name={name} onClose={onClose} />}
    </Page>
  );
}
