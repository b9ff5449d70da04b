import { useState } from 'preact/hooks';
import { useAction } from '../api/use';
import { Badge } from '../parts/badge';
import { Dialog } from '../parts/dialog';
import { Button, Field, Refused } from '../parts/form';
import { Empty } from '../parts/page';
import { questionSaid } from '../question/words';
import { may } from '../session';
import { addressOf, changeSaved, deleteSaved, type SavedQuery, useSavedQueries } from './keep';
import { NAME_CHARS } from './save-dialog';

/** The questions that are kept: opened, renamed, watched, deleted. */
export function OpenDialog({ onClose }: { onClose: () => void }) {
  const saved = useSavedQueries();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = saved.data?.filter((one) => one.name.toLowerCase().includes(wanted));
  return (
    <Dialog title="Saved questions" wide onClose={onClose}>
      <div class="stack">
        <Refused refusal={saved.refusal} again={saved.again} />
        {saved.data?.length === 0 && (
          <Empty title="Nothing is saved yet">
            Ask something, then save it: it can be opened again and shown on dashboards.
          </Empty>
        )}
        {saved.data && saved.data.length > 8 && (
          <Field label="Find" bare type="search" placeholder="Find by name" value={search} onValue={setSearch} />
        )}
        <ul class="kept">
          {found?.map((one) => (
            <Kept key={one.id} saved={one} onChanged={saved.again} onOpened={onClose} />
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

function Kept(props: { saved: SavedQuery; onChanged: () => void; onOpened: () => void }) {
  const { saved, onChanged } = props;
  const [doing, setDoing] = useState<'nothing' | 'renaming' | 'deleting'>('nothing');
  const [name, setName] = useState(saved.name);
  const change = useAction(async (act: () => Promise<unknown>) => {
    await act();
    setDoing('nothing');
    onChanged();
  });
  const watchable = saved.query.kind === 'funnel';
  return (
    <li>
      <div class="kept-head">
        <div>
          <a href={addressOf(saved)} onClick={props.onOpened}>
            {saved.name}
          </a>{' '}
          {saved.watched && <Badge>watched</Badge>}
          <p class="muted">{questionSaid(saved.query as never)}</p>
        </div>
        {may('admin') && doing === 'nothing' && (
          <div class="row">
            {watchable && (
              <Button
                kind="quiet"
                busy={change.busy}
                onClick={() => void change.run(() => changeSaved(saved.id, { watched: !saved.watched }))}
              >
                {saved.watched ? 'Stop watching' : 'Watch'}
              </Button>
            )}
            <Button kind="quiet" onClick={() => setDoing('renaming')}>
              Rename
            </Button>
            <Button kind="quiet" onClick={() => setDoing('deleting')}>
              Delete
            </Button>
          </div>
        )}
      </div>
      {doing === 'renaming' && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            void change.run(() => changeSaved(saved.id, { name }));
          }}
        >
          <Field label="Name" bare required maxLength={NAME_CHARS} value={name} onValue={setName} />
          <Button kind="primary" type="submit" busy={change.busy}>
            Rename
          </Button>
          <Button onClick={() => setDoing('nothing')}>Cancel</Button>
        </form>
      )}
      {doing === 'deleting' && (
        <div class="row">
          <span>Dashboards lose it, and links to it end.</span>
          <Button kind="danger" busy={change.busy} onClick={() => void change.run(() => deleteSaved(saved.id))}>
            Delete it
          </Button>
          <Button onClick={() => setDoing('nothing')}>Cancel</Button>
        </div>
      )}
      <Refused refusal={change.refusal} />
    </li>
  );
}
