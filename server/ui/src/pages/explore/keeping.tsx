import { useState } from 'preact/hooks';
import { AddDialog } from '../../keeping/add-dialog';
import { questionOf, type SavedQuery, save } from '../../keeping/keep';
import { OpenDialog } from '../../keeping/open-dialog';
import { SaveDialog } from '../../keeping/save-dialog';
import { ShareDialog } from '../../keeping/share-dialog';
import { Button } from '../../parts/form';
import type { Question } from '../../question/question';
import { toSearch } from '../../question/url';
import { may } from '../../session';
import type { Asking } from './use-question';

/** Open what is kept; keep this; put it on a dashboard; share it. */
export function Keeping({ asking, question }: { asking: Asking; question: Question }) {
  const { kept } = asking;
  const [doing, setDoing] = useState<'open' | 'save' | 'add' | 'share'>();
  const onClose = () => setDoing(undefined);
  const before = kept && questionOf(kept.query);
  const isKept = kept !== undefined && before !== null && before !== undefined && toSearch(before) === asking.search;
  const onSaved = (saved: SavedQuery) => {
    asking.setKept(saved);
    asking.open(question, saved.id);
  };
  const keep = async (name: string) => {
    const saved = await save(name, question, false);
    onSaved(saved);
    return saved.id;
  };
  return (
    <>
      <a class="button quiet" href="/explore/cohorts">
        Cohorts
      </a>
      <Button onClick={() => setDoing('open')}>Open</Button>
      {may('admin') && (
        <>
          <Button onClick={() => setDoing('add')}>Add to a dashboard</Button>
          <Button onClick={() => setDoing('share')}>Share</Button>
          <Button kind="primary" onClick={() => setDoing('save')}>
            Save
          </Button>
        </>
      )}
      {doing === 'open' && <OpenDialog onClose={onClose} />}
      {doing === 'save' && <SaveDialog question={question} saved={kept} onSaved={onSaved} onClose={onClose} />}
      {doing === 'add' && <AddDialog saved={isKept ? kept.id : keep} onClose={onClose} />}
      {doing === 'share' && (
        <ShareDialog
          shown={isKept ? { saved_query: kept.id } : { keep }}
          name={isKept ? kept.name : ''}
          onClose={onClose}
        />
      )}
    </>
  );
}
