import { useEffect, useState } from 'preact/hooks';
import { Combobox } from '../../parts/combobox';
import { Button, Select } from '../../parts/form';
import {
  type Condition,
  type Conditions,
  conditionsOf,
  filterOf,
  isOfCohort,
  isWhole,
  OPS,
  type Op,
  takeTheSame,
  type Whose,
} from '../../question/filter';
import { known, propertyKey, propertyOf, propertyOptions, useProperties } from '../../question/names';
import type { Filter } from '../../question/question';
import { ValueEditor } from './value-editor';

const BEGUN: Condition = { type: 'event', property: '', op: 'is', values: [] };

/** The option of the property picker that asks for a cohort. */
const COHORT = { value: 'cohort', name: 'Cohort', hint: 'person' };

/** Conditions. One that is not whole yet is kept here, and asked with when it is. */
export function FilterEditor(props: {
  value: Filter | null | undefined;
  onValue: (filter: Filter | null) => void;
  /** Of which event properties are offered; none for any. */
  event: string | null;
  whose?: readonly Whose[];
  add?: string;
}) {
  const { value, onValue, event, whose = ['event', 'person', 'session', 'cohort'] } = props;
  const [draft, setDraft] = useState<Conditions | null>(() => conditionsOf(value));
  const given = JSON.stringify(value ?? null);
  useEffect(() => {
    if (draft && JSON.stringify(filterOf(draft)) === given) return;
    setDraft(conditionsOf(value));
  }, [given]);

  if (!draft) {
    return (
      <p class="row">
        <span class="muted">This filter is nested deeper than can be shown here.</span>
        <Button kind="quiet" onClick={() => onValue(null)}>
          Remove it
        </Button>
      </p>
    );
  }
  const change = (next: Conditions) => {
    setDraft(next);
    const filter = filterOf(next);
    if (JSON.stringify(filter) !== given) onValue(filter);
  };
  const set = (at: number, condition: Condition | null) =>
    change({
      ...draft,
      list: draft.list.flatMap((one, other) => (other !== at ? [one] : condition ? [condition] : [])),
    });
  const begin = () =>
    change({ ...draft, list: [...draft.list, { ...BEGUN, type: whose.includes('event') ? 'event' : 'person' }] });
  return (
    <div class="ask-rows">
      {draft.list.map((condition, at) => (
        <ConditionEditor key={at} {...{ condition, event, whose }} onCondition={(next) => set(at, next)} />
      ))}
      <div class="row">
        <Button kind="quiet" onClick={begin} disabled={draft.list.some((one) => !isWhole(one))}>
          + {props.add ?? 'Filter'}
        </Button>
        {draft.list.length > 1 && (
          <Select
            label="How conditions go together"
            bare
            value={draft.all ? 'all' : 'one'}
            choices={[
              ['all', 'all of these'],
              ['one', 'one of these'],
            ]}
            onValue={(which) => change({ ...draft, all: which === 'all' })}
          />
        )}
      </div>
    </div>
  );
}

function ConditionEditor(props: {
  condition: Condition;
  event: string | null;
  whose: readonly Whose[];
  onCondition: (condition: Condition | null) => void;
}) {
  const { condition, onCondition, whose } = props;
  const properties = useProperties(props.event).data;
  const property = known(properties, condition.type, condition.property);
  const ofCohort = isOfCohort(condition.op);
  const pick = (key: string) => {
    if (key === COHORT.value) return onCondition({ type: 'cohort', property: '', op: 'in_cohort', values: [] });
    const { type, name } = propertyOf(key);
    onCondition({
      type: whose.includes(type) ? type : 'person',
      property: name,
      op: ofCohort ? 'is' : condition.op,
      values: [],
    });
  };
  const choose = (op: Op) => {
    onCondition({ ...condition, op, values: takeTheSame(op, condition.op) ? condition.values : [] });
  };
  const listed = [...propertyOptions(properties, whose), ...(whose.includes('cohort') ? [COHORT] : [])];
  const chosen = propertyKey(condition.type, condition.property);
  const isListed = ofCohort || chosen === '' || listed.some((option) => option.value === chosen);
  const offered = isListed ? listed : [...listed, { value: chosen, name: condition.property, hint: condition.type }];
  const ops = (Object.entries(OPS) as [Op, string][]).filter(([op]) => isOfCohort(op) === ofCohort);
  return (
    <div class="ask-condition">
      <div class="ask-condition-head">
        <Combobox
          label="Property"
          bare
          free
          placeholder="Property"
          value={ofCohort ? COHORT.value : chosen}
          options={offered}
          onPick={pick}
        />
        <Button kind="quiet" aria-label="Remove this condition" onClick={() => onCondition(null)}>
          ✕
        </Button>
      </div>
      {(condition.property !== '' || ofCohort) && (
        <>
          <Select label="Comparison" bare value={condition.op} choices={ops} onValue={choose} />
          <ValueEditor
            condition={condition}
            types={property?.types ?? []}
            frequent={property?.values ?? []}
            onValues={(values) => onCondition({ ...condition, values })}
          />
        </>
      )}
    </div>
  );
}
