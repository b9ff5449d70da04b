import { useState } from 'preact/hooks';
import { ask } from '../../api/ask';
import { answer, POST } from '../../api/client';
import type { Schema } from '../../api/types';
import { useAction, useAnswer } from '../../api/use';
import { counted } from '../../format';
import { NAME_CHARS } from '../../keeping/save-dialog';
import { Dialog } from '../../parts/dialog';
import { Button, Field, Refused, Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { toast } from '../../shell/toasts';
import { begun, type Draft, definitionOf, type Frequency } from './cohort';
import { FilterEditor } from './filter-editor';
import { EventSelect } from './parts';

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Most criteria of a cohort, as the server has it. */
const CRITERIA = 20;

/** Describes people, says how many they are, and keeps them as a cohort. */
export function CohortForm(props: {
  cohorts: readonly Schema<'KeptCohort'>[];
  onMade: () => void;
  onClose: () => void;
}) {
  const [name, setName] = useState('');
  const [all, setAll] = useState(true);
  const [drafts, setDrafts] = useState<Draft[]>([begun('performed')]);
  const definition = definitionOf(all, drafts, here());
  const fits = useAnswer(
    async (signal) => (definition ? ask({ kind: 'cohort', definition } as never, signal) : undefined),
    [JSON.stringify(definition)],
  );
  const make = useAction(async () => {
    await answer(POST('/api/v1/cohorts', { body: { name, definition } as never }));
    toast(`“${name}” is made.`);
    props.onMade();
    props.onClose();
  });
  const set = (at: number, draft: Draft | null) =>
    setDrafts(drafts.flatMap((one, other) => (other !== at ? [one] : draft ? [draft] : [])));
  return (
    <Dialog title="Make a cohort" wide onClose={props.onClose}>
      <form
        class="stack ask"
        onSubmit={(event) => {
          event.preventDefault();
          void make.run();
        }}
      >
        <Field label="Name" required maxLength={NAME_CHARS} placeholder="Buyers" value={name} onValue={setName} />
        <Select
          label="People of whom"
          value={all ? 'all' : 'one'}
          choices={[
            ['all', 'all of this is so'],
            ['one', 'one of these is so'],
          ]}
          onValue={(which) => setAll(which === 'all')}
        />
        {drafts.map((draft, at) => (
          <div class="ask-criterion" key={at}>
            <CriterionEditor draft={draft} cohorts={props.cohorts} onDraft={(next) => set(at, next)} />
            {drafts.length > 1 && (
              <Button kind="quiet" aria-label="Remove this" onClick={() => set(at, null)}>
                ✕
              </Button>
            )}
          </div>
        ))}
        {drafts.length < CRITERIA && (
          <div class="row">
            <Button kind="quiet" onClick={() => setDrafts([...drafts, begun('performed')])}>
              + Something else
            </Button>
          </div>
        )}
        <p role="status" class={fits.loading ? 'muted' : undefined}>
          {definition && fits.data?.kind === 'cohort'
            ? `${counted(fits.data.persons, 'person', 'people')}, now`
            : 'Fill in what is missing to see how many they are.'}
        </p>
        <Refused refusal={make.refusal ?? (definition ? fits.refusal : undefined)} />
        <div class="row">
          <Button kind="primary" type="submit" busy={make.busy} disabled={!definition}>
            Make the cohort
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const WHAT = [
  ['performed', 'did'],
  ['not_performed', 'did not do'],
  ['person', 'have a property'],
  ['in_cohort', 'are in another cohort'],
] as const satisfies readonly (readonly [Draft['what'], string])[];

const FREQUENCIES = [
  ['at_least', 'at least'],
  ['exactly', 'exactly'],
  ['at_most', 'at most'],
] as const satisfies readonly (readonly [Frequency, string])[];

const DAYS = [
  ['7', 'in the last 7 days'],
  ['30', 'in the last 30 days'],
  ['90', 'in the last 90 days'],
  ['365', 'in the last 365 days'],
  ['', 'ever'],
] as const;

function CriterionEditor(props: {
  draft: Draft;
  cohorts: readonly Schema<'KeptCohort'>[];
  onDraft: (draft: Draft) => void;
}) {
  const { draft, onDraft } = props;
  return (
    <div class="ask-rows">
      <Select
        label="They"
        bare
        value={draft.what}
        choices={WHAT.filter(([what]) => what !== 'in_cohort' || props.cohorts.length > 0)}
        onValue={(what) =>
          'event' in draft && (what === 'performed' || what === 'not_performed')
            ? onDraft({ ...draft, what })
            : onDraft(begun(what))
        }
      />
      {'event' in draft && <Performed draft={draft} onDraft={onDraft} />}
      {draft.what === 'person' && (
        <FilterEditor
          value={draft.filter}
          event={null}
          whose={['person']}
          add="Property"
          onValue={(filter) => onDraft({ ...draft, filter })}
        />
      )}
      {draft.what === 'in_cohort' && (
        <Select
          label="Cohort"
          bare
          value={String(draft.cohort ?? '')}
          choices={[
            ...(draft.cohort === null ? [['', 'Which cohort?'] as const] : []),
            ...props.cohorts.map((one) => [String(one.id), one.name] as const),
          ]}
          onValue={(id) => onDraft({ ...draft, cohort: id === '' ? null : Number(id) })}
        />
      )}
    </div>
  );
}

function Performed(props: { draft: Extract<Draft, { event: string | null }>; onDraft: (draft: Draft) => void }) {
  const { draft, onDraft } = props;
  return (
    <>
      <EventSelect label="Event" value={draft.event} onValue={(event) => onDraft({ ...draft, event })} />
      <div class="ask-thirds">
        <Select
          label="How often"
          bare
          value={draft.frequency}
          choices={FREQUENCIES}
          onValue={(frequency) => onDraft({ ...draft, frequency })}
        />
        <Settled
          label="Times"
          bare
          type="number"
          min={1}
          value={String(draft.times)}
          onValue={(times) => onDraft({ ...draft, times: Math.max(1, Math.round(Number(times)) || 1) })}
        />
        <Select
          label="When"
          bare
          value={draft.days === null ? '' : (String(draft.days) as '30')}
          choices={DAYS}
          onValue={(days) => onDraft({ ...draft, days: days === '' ? null : Number(days) })}
        />
      </div>
      <FilterEditor
        value={draft.filters}
        event={draft.event}
        whose={['event']}
        add="Only where …"
        onValue={(filters) => onDraft({ ...draft, filters })}
      />
    </>
  );
}
