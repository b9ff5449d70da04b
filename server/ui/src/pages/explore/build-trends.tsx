import { useState } from 'preact/hooks';
import { Button, Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { letter, type QuestionOf, type Series, seriesOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { BreakdownEditor, EventEditor, IntervalSelect, Part, PropertySelect } from './parts';
import { RangeEditor } from './range-editor';

const COUNTS = [
  ['unique_persons', 'people'],
  ['total', 'events'],
  ['sessions', 'sessions'],
] as const;

const OF_PROPERTY = [
  ['sum', 'sum of'],
  ['avg', 'mean of'],
  ['min', 'least'],
  ['max', 'greatest'],
  ['p50', 'median of'],
  ['p90', '90th percentile of'],
  ['p95', '95th percentile of'],
  ['p99', '99th percentile of'],
] as const;

type Math = Series['math'];

const needsProperty = (math: Math) => OF_PROPERTY.some(([known]) => known === math);

/** Most series: formulas name them A to Z. */
const SERIES = 26;

export function BuildTrends({ question, set }: Build<QuestionOf<'trends'>>) {
  const { series } = question;
  const event = series.length === 1 ? (series[0]?.event ?? null) : null;
  const change = (at: number, one: Series | null) =>
    set({ series: series.flatMap((other, place) => (place !== at ? [other] : one ? [one] : [])) });
  return (
    <>
      <Part title="Count" at={['series']}>
        {series.map((one, at) => (
          <SeriesEditor
            key={at}
            label={series.length > 1 || question.formula ? letter(at) : ''}
            value={one}
            onValue={(next) => change(at, next)}
            onRemove={series.length > 1 ? () => change(at, null) : undefined}
          />
        ))}
        {series.length < SERIES && (
          <div class="row">
            <Button kind="quiet" onClick={() => set({ series: [...series, seriesOf(null)] })}>
              + Series
            </Button>
          </div>
        )}
      </Part>
      {(series.length > 1 || question.formula) && (
        <Part title="Formula" at={['formula']}>
          <Settled
            label="Formula"
            bare
            placeholder="A / B * 100"
            maxLength={200}
            value={question.formula ?? ''}
            onValue={(formula) => set({ formula: formula.trim() === '' ? null : formula })}
          />
        </Part>
      )}
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={event} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Breakdown" at={['breakdown']}>
        <BreakdownEditor value={question.breakdown ?? []} event={event} onValue={(breakdown) => set({ breakdown })} />
      </Part>
      <Part title="Time" at={['date_from', 'date_to', 'timezone', 'interval', 'compare']}>
        <RangeEditor value={question} onValue={set} />
        <IntervalSelect value={question.interval} onValue={(interval) => set({ interval })} />
        <label class="check">
          <input
            type="checkbox"
            checked={question.compare === 'previous'}
            onChange={(changed) => set({ compare: changed.currentTarget.checked ? 'previous' : null })}
          />
          Compare with the stretch before
        </label>
      </Part>
    </>
  );
}

function SeriesEditor(props: {
  label: string;
  value: Series;
  onValue: (series: Series) => void;
  onRemove: (() => void) | undefined;
}) {
  const { label, value, onValue, onRemove } = props;
  // A sum is of nothing until its property is chosen; until then the question stays what it was.
  const [meant, setMeant] = useState<Math>();
  const math = meant ?? value.math;
  const choose = (next: Math) => {
    if (needsProperty(next) && !value.math_property) return setMeant(next);
    setMeant(undefined);
    onValue({ ...value, math: next, math_property: needsProperty(next) ? value.math_property : null } as Series);
  };
  const property = (name: string) => {
    setMeant(undefined);
    onValue({ ...value, math, math_property: name } as Series);
  };
  return (
    <EventEditor
      label={`Event${label && ` ${label}`}`}
      value={value as Series & { event: string | null }}
      onValue={onValue}
      before={label && <strong class="ask-letter">{label}</strong>}
      after={
        onRemove && (
          <Button kind="quiet" aria-label={`Remove series ${label}`} onClick={onRemove}>
            ✕
          </Button>
        )
      }
    >
      <div class="ask-pair">
        <Select label="What is counted" bare value={math} choices={[...COUNTS, ...OF_PROPERTY]} onValue={choose} />
        {needsProperty(math) && (
          <PropertySelect
            label="Property"
            numbers
            event={value.event ?? null}
            value={meant ? '' : (value.math_property ?? '')}
            onValue={property}
          />
        )}
      </div>
    </EventEditor>
  );
}
