import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Combobox } from '../../parts/combobox';
import { Button, Select } from '../../parts/form';
import {
  ANY_EVENT,
  eventOptions,
  propertyKey,
  propertyOf,
  propertyOptions,
  useEventNames,
  useProperties,
} from '../../question/names';
import type { Breakdown, EventPick, Interval } from '../../question/question';
import { FilterEditor } from './filter-editor';
import { Wrong } from './wrong';

/** A part of the question, and what the server finds wrong in it. */
export function Part(props: { title: string; at: readonly string[]; children: ComponentChildren }) {
  return (
    <section class="ask-part">
      <h2>{props.title}</h2>
      {props.children}
      <Wrong at={props.at} />
    </section>
  );
}

/** Which event is meant; any, if none is. */
export function EventSelect(props: {
  label: string;
  value: string | null;
  onValue: (event: string | null) => void;
  any?: string;
}) {
  const names = useEventNames().data;
  const listed = [{ ...ANY_EVENT, name: props.any ?? 'Any event' }, ...eventOptions(names)];
  const isListed = props.value === null || listed.some((option) => option.value === props.value);
  return (
    <Combobox
      label={props.label}
      bare
      free
      value={props.value ?? ''}
      options={isListed ? listed : [...listed, { value: props.value ?? '' }]}
      onPick={(event) => props.onValue(event === '' ? null : event)}
    />
  );
}

/** An event, and which of them. `before` and `after` stand at its sides, on one line. */
export function EventEditor<E extends Pick<EventPick, 'event'> & { filters?: EventPick['filters'] }>(props: {
  label: string;
  value: E;
  onValue: (event: E) => void;
  before?: ComponentChildren;
  after?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const { value, onValue } = props;
  return (
    <div class="ask-event">
      <div class="ask-event-head">
        {props.before}
        <EventSelect label={props.label} value={value.event} onValue={(event) => onValue({ ...value, event })} />
        {props.after}
      </div>
      {props.children}
      <FilterEditor
        value={value.filters}
        event={value.event}
        add="Only where …"
        onValue={(filters) => onValue({ ...value, filters })}
      />
    </div>
  );
}

/** A property of an event; of numbers, if it is to be calculated with. */
export function PropertySelect(props: {
  label: string;
  event: string | null;
  value: string;
  numbers?: boolean;
  onValue: (property: string) => void;
}) {
  const properties = useProperties(props.event).data?.event?.properties ?? [];
  const fitting = properties.filter((one) => !props.numbers || one.types.includes('number')).map((one) => one.name);
  const names = props.value === '' || fitting.includes(props.value) ? fitting : [...fitting, props.value];
  return (
    <Combobox
      label={props.label}
      bare
      free
      placeholder="Property"
      value={props.value}
      options={names.map((name) => ({ value: name }))}
      onPick={props.onValue}
    />
  );
}

/** Most breakdowns, as the server has it. */
const BREAKDOWNS = 3;

/** A line for each value of a property. */
export function BreakdownEditor(props: {
  value: readonly Breakdown[];
  event: string | null;
  onValue: (breakdown: Breakdown[]) => void;
}) {
  const { value, onValue } = props;
  const [adding, setAdding] = useState(false);
  const properties = useProperties(props.event).data;
  const options = propertyOptions(properties, ['event', 'person', 'session']);
  const shown = [...value.map((one) => propertyKey(one.type, one.property)), ...(adding ? [''] : [])];
  const pick = (at: number, key: string) => {
    const { type, name } = propertyOf(key);
    const chosen: Breakdown = { type, property: name, limit: value[at]?.limit ?? 6 };
    setAdding(false);
    onValue(at < value.length ? value.map((one, other) => (other === at ? chosen : one)) : [...value, chosen]);
  };
  const remove = (at: number) => {
    if (at >= value.length) setAdding(false);
    else onValue(value.filter((_, other) => other !== at));
  };
  return (
    <div class="ask-rows">
      {shown.map((key, at) => (
        <div class="ask-condition-head" key={at}>
          <Combobox
            label="Break down by"
            bare
            free
            placeholder="Property"
            value={key}
            options={
              key === '' || options.some((option) => option.value === key)
                ? options
                : [...options, { value: key, name: propertyOf(key).name }]
            }
            onPick={(picked) => pick(at, picked)}
          />
          <Button kind="quiet" aria-label="Remove this breakdown" onClick={() => remove(at)}>
            ✕
          </Button>
        </div>
      ))}
      {!adding && value.length < BREAKDOWNS && (
        <div class="row">
          <Button kind="quiet" onClick={() => setAdding(true)}>
            + Break down
          </Button>
        </div>
      )}
    </div>
  );
}

export const INTERVALS = [
  ['hour', 'by hour'],
  ['day', 'by day'],
  ['week', 'by week'],
  ['month', 'by month'],
] as const satisfies readonly (readonly [Interval, string])[];

export function IntervalSelect(props: { label?: string; value: Interval; onValue: (interval: Interval) => void }) {
  return (
    <Select label={props.label ?? 'Interval'} bare value={props.value} choices={INTERVALS} onValue={props.onValue} />
  );
}
