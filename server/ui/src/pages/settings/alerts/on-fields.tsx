import { answer, GET } from '../../../api/client';
import { useAnswer } from '../../../api/use';
import { Field, Refused, Select } from '../../../parts/form';
import { KINDS } from '../../health/problems/kinds';
import type { Draft } from './draft';

type Part = { draft: Draft; set: (changes: Partial<Draft>) => void };

/** Which problems an alert tells of. */
export function OnFields({ draft, set }: Part) {
  return (
    <>
      <Select
        label="Tells of"
        value={draft.on}
        choices={[
          ['all', 'All problems'],
          ['kinds', 'Some kinds of problems'],
          ['number', 'A number of a saved question'],
        ]}
        onValue={(on) => set({ on })}
      />
      {draft.on === 'kinds' && <Kinds draft={draft} set={set} />}
      {draft.on === 'number' && <Bound draft={draft} set={set} />}
    </>
  );
}

function Kinds({ draft, set }: Part) {
  return (
    <>
      <fieldset class="checks">
        <legend class="hidden">Kinds</legend>
        {KINDS.filter(([kind]) => kind !== 'threshold').map(([kind, name]) => (
          <label key={kind} class="row">
            <input
              type="checkbox"
              checked={draft.kinds.includes(kind)}
              onChange={(event) =>
                set({
                  kinds: event.currentTarget.checked
                    ? [...draft.kinds, kind]
                    : draft.kinds.filter((one) => one !== kind),
                })
              }
            />
            {name}
          </label>
        ))}
      </fieldset>
      <Field
        label="Only this one (optional)"
        hint="The number of a monitor or an error, an endpoint as GET /cart, the name of an event."
        maxLength={1000}
        value={draft.subject}
        onValue={(subject) => set({ subject })}
      />
    </>
  );
}

function Bound({ draft, set }: Part) {
  const saved = useAnswer((signal) => answer(GET('/api/v1/saved_queries', { signal })), []);
  const questions = saved.data?.saved_queries ?? [];
  return (
    <>
      <Refused refusal={saved.refusal} again={saved.again} />
      {saved.data && questions.length === 0 && <p class="notice">Save a question in Explore first.</p>}
      <Select
        label="Question"
        value={draft.savedQuery}
        choices={[['', 'Choose one'], ...questions.map((one) => [String(one.id), one.name] as const)]}
        onValue={(savedQuery) => set({ savedQuery })}
      />
      <div class="pair">
        <Select
          label="It is a problem when its answer is"
          value={draft.bound}
          choices={[
            ['above', 'above'],
            ['below', 'below'],
          ]}
          onValue={(bound) => set({ bound })}
        />
        <Field label="This" type="number" step="any" required value={draft.value} onValue={(value) => set({ value })} />
      </div>
      <Field
        label="Which series (optional)"
        placeholder="A"
        maxLength={200}
        value={draft.series}
        onValue={(series) => set({ series })}
      />
    </>
  );
}
