import '../../styles/explore.css';
import '../../styles/keeping.css';
import { useState } from 'preact/hooks';
import { Who } from '../../answers/who';
import { ask } from '../../api/ask';
import { answer, DELETE } from '../../api/client';
import type { Schema } from '../../api/types';
import { useAction, useAnswer } from '../../api/use';
import { count, counted } from '../../format';
import { Button, Refused } from '../../parts/form';
import { Card, Empty, Page } from '../../parts/page';
import { useCohorts } from '../../question/names';
import { fresh } from '../../question/question';
import { toSearch } from '../../question/url';
import { may } from '../../session';
import { definitionSaid } from './cohort';
import { CohortForm } from './cohort-form';
import { ListForm } from './cohort-list';

/** Sets of people with a name: by what they do and are, or by a list. */
export default function Cohorts() {
  const cohorts = useCohorts();
  const [making, setMaking] = useState<'cohort' | 'list'>();
  const all = cohorts.data?.cohorts ?? [];
  const onClose = () => setMaking(undefined);
  const actions = (
    <>
      <a class="button quiet" href="/explore">
        Questions
      </a>
      {may('admin') && (
        <>
          <Button onClick={() => setMaking('list')}>Make a list</Button>
          <Button kind="primary" onClick={() => setMaking('cohort')}>
            Make a cohort
          </Button>
        </>
      )}
    </>
  );
  return (
    <Page title="Cohorts" actions={actions}>
      <Refused refusal={cohorts.refusal} again={cohorts.again} />
      {cohorts.data && (
        <Card>
          {all.length === 0 ? (
            <Empty title="No cohorts yet">
              A cohort is a set of people, such as those who bought twice; questions can be about them alone.
            </Empty>
          ) : (
            <ul class="kept">
              {all.map((one) => (
                <Kept key={one.id} cohort={one} all={all} onChanged={cohorts.again} />
              ))}
            </ul>
          )}
        </Card>
      )}
      {making === 'cohort' && <CohortForm cohorts={all} onMade={cohorts.again} onClose={onClose} />}
      {making === 'list' && <ListForm list={undefined} onMade={cohorts.again} onClose={onClose} />}
    </Page>
  );
}

function Kept(props: { cohort: Schema<'KeptCohort'>; all: readonly Schema<'KeptCohort'>[]; onChanged: () => void }) {
  const { cohort, all, onChanged } = props;
  const [doing, setDoing] = useState<'who' | 'adding' | 'deleting'>();
  const question = { kind: 'cohort', cohort: cohort.id } as const;
  const size = useAnswer((signal) => ask(question, signal), [cohort.id, cohort.members]);
  const remove = useAction(async () => {
    await answer(DELETE('/api/v1/cohorts/{id}', { params: { path: { id: cohort.id } } }));
    onChanged();
  });
  const nameOf = (id: number) => `“${all.find((one) => one.id === id)?.name ?? id}”`;
  const persons = size.data?.kind === 'cohort' ? size.data.persons : undefined;
  const onClose = () => setDoing(undefined);
  return (
    <li>
      <div class="kept-head">
        <div>
          <strong>{cohort.name}</strong>
          <p class="muted">
            {cohort.definition
              ? `Who ${definitionSaid(cohort.definition as never, nameOf)}`
              : `A list with ${counted(cohort.members, 'id', 'ids')}`}
          </p>
        </div>
        <div class="row">
          <Button kind="quiet" disabled={!persons} onClick={() => setDoing('who')}>
            {persons === undefined ? '…' : `${count(persons)} ${persons === 1 ? 'person' : 'people'}`}
          </Button>
          <a class="button quiet" href={`/explore?${toSearch(about(cohort.id))}`}>
            Ask about them
          </a>
          {may('admin') && !cohort.definition && (
            <Button kind="quiet" onClick={() => setDoing('adding')}>
              Add people
            </Button>
          )}
          {may('admin') && doing !== 'deleting' && (
            <Button kind="quiet" aria-label={`Delete “${cohort.name}”`} onClick={() => setDoing('deleting')}>
              Delete
            </Button>
          )}
        </div>
      </div>
      {doing === 'deleting' && (
        <div class="row">
          <span>Questions that ask for it will be refused.</span>
          <Button kind="danger" busy={remove.busy} onClick={() => void remove.run()}>
            Delete it
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      )}
      <Refused refusal={remove.refusal ?? size.refusal} />
      {doing === 'who' && <Who question={question} place={{ title: cohort.name, at: {} }} onClose={onClose} />}
      {doing === 'adding' && <ListForm list={cohort} onMade={onChanged} onClose={onClose} />}
    </li>
  );
}

/** What the people of a cohort do. */
const about = (cohort: number) => ({
  ...fresh('trends', { event: null, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
  filters: { type: 'cohort', op: 'in_cohort', value: cohort } as never,
});
