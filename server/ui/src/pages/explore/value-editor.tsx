import { Combobox } from '../../parts/combobox';
import { Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { type Condition, isOfCohort, type Plain, readValue, takesMany, takesNone } from '../../question/filter';
import { useCohorts } from '../../question/names';

/** What a property is compared with: one value, two, or several of which one fits. */
export function ValueEditor(props: {
  condition: Condition;
  types: readonly string[];
  frequent: readonly unknown[];
  onValues: (values: Plain[]) => void;
}) {
  const { condition, types, onValues } = props;
  const { op, values } = condition;
  if (takesNone(op)) return null;
  if (isOfCohort(op)) return <CohortSelect value={values[0]} onValue={(cohort) => onValues([cohort])} />;
  const read = (text: string) => readValue(text, types, op);
  if (op === 'between') {
    const set = (at: number) => (text: string) => {
      const next: Plain[] = [values[0] ?? '', values[1] ?? ''];
      next[at] = text === '' ? '' : read(text);
      onValues(next.every((value) => value !== '') ? next : next.slice(0, 1));
    };
    return (
      <div class="ask-pair">
        <Settled label="From" bare type="number" value={String(values[0] ?? '')} onValue={set(0)} placeholder="from" />
        <Settled label="To" bare type="number" value={String(values[1] ?? '')} onValue={set(1)} placeholder="to" />
      </div>
    );
  }
  if (!takesMany(op)) {
    return (
      <Settled
        label="Value"
        bare
        value={String(values[0] ?? '')}
        onValue={(text) => onValues(text === '' ? [] : [read(text)])}
        placeholder={op === 'regex' ? '^a|b$' : 'a number, or a time'}
      />
    );
  }
  const offered = props.frequent
    .map((one) => (typeof one === 'object' && one !== null && 'value' in one ? one.value : one) as Plain)
    .filter((value) => !values.includes(value));
  return (
    <div class="ask-values">
      {values.map((value, at) => (
        <span key={`${typeof value} ${value}`} class="ask-chip">
          {value === '' ? '“”' : String(value)}
          <button
            type="button"
            aria-label={`Remove ${value}`}
            onClick={() => onValues(values.filter((_, other) => other !== at))}
          >
            ✕
          </button>
        </span>
      ))}
      <Combobox
        label={values.length > 0 ? 'Another value' : 'Value'}
        bare
        free
        value=""
        placeholder={values.length > 0 ? 'or …' : 'value'}
        options={offered.map((value) => ({ value: JSON.stringify(value), name: String(value) }))}
        onPick={(picked) => {
          const listed = offered.find((value) => JSON.stringify(value) === picked);
          const value = listed === undefined ? read(picked) : listed;
          if (!values.includes(value)) onValues([...values, value]);
        }}
      />
    </div>
  );
}

function CohortSelect({ value, onValue }: { value: Plain | undefined; onValue: (cohort: number) => void }) {
  const { data } = useCohorts();
  const cohorts = data?.cohorts ?? [];
  if (data && cohorts.length === 0) {
    return (
      <p class="muted">
        There are no cohorts yet. <a href="/explore/cohorts">Make one.</a>
      </p>
    );
  }
  return (
    <Select
      label="Cohort"
      bare
      value={String(value ?? '')}
      choices={[
        ...(value === undefined ? [['', 'Which cohort?'] as const] : []),
        ...cohorts.map((one) => [String(one.id), one.name] as const),
      ]}
      onValue={(id) => id !== '' && onValue(Number(id))}
    />
  );
}
