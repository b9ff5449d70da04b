import { Button, Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { type EventPick, type Exclusion, picked, type QuestionOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { BreakdownEditor, EventEditor, Part } from './parts';
import { RangeEditor } from './range-editor';

/** Steps of a funnel, and exclusions, as the server has it. */
const [LEAST, MOST, EXCLUSIONS] = [2, 12, 5];

const UNITS = [
  ['second', 'seconds'],
  ['minute', 'minutes'],
  ['hour', 'hours'],
  ['day', 'days'],
  ['week', 'weeks'],
  ['month', 'months'],
] as const;

export function BuildFunnel({ question, set }: Build<QuestionOf<'funnel'>>) {
  const { steps, window } = question;
  return (
    <>
      <Part title="Steps" at={['steps']}>
        <Steps steps={steps} onSteps={(steps) => set({ steps })} />
      </Part>
      <Part title="How" at={['order', 'window', 'by']}>
        <Select
          label="Order"
          bare
          value={question.order}
          choices={[
            ['ordered', 'in this order'],
            ['strict', 'in this order, nothing in between'],
            ['unordered', 'in any order'],
          ]}
          onValue={(order) => set({ order, exclusions: order === 'unordered' ? [] : (question.exclusions ?? []) })}
        />
        <div class="ask-pair">
          <Settled
            label="Within"
            bare
            type="number"
            min={1}
            value={String(window.value)}
            onValue={(value) => set({ window: { ...window, value: Number(value) } })}
          />
          <Select
            label="Unit of time"
            bare
            value={window.unit}
            choices={UNITS}
            onValue={(unit) => set({ window: { ...window, unit } })}
          />
        </div>
        <Select
          label="Whose steps"
          bare
          value={question.by}
          choices={[
            ['person', 'by the same person'],
            ['session', 'in the same session'],
          ]}
          onValue={(by) => set({ by })}
        />
      </Part>
      {question.order !== 'unordered' && (
        <Part title="Without" at={['exclusions']}>
          <Exclusions
            exclusions={question.exclusions ?? []}
            steps={steps}
            onExclusions={(exclusions) => set({ exclusions })}
          />
        </Part>
      )}
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={null} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Breakdown" at={['breakdown']}>
        <BreakdownEditor
          value={question.breakdown ?? []}
          event={steps[0]?.event ?? null}
          onValue={(breakdown) => set({ breakdown })}
        />
      </Part>
      <Part title="Time" at={['date_from', 'date_to', 'timezone']}>
        <RangeEditor value={question} onValue={set} />
      </Part>
    </>
  );
}

function Steps({ steps, onSteps }: { steps: readonly EventPick[]; onSteps: (steps: EventPick[]) => void }) {
  const change = (at: number, step: EventPick) => onSteps(steps.map((one, other) => (other === at ? step : one)));
  const swap = (at: number) => {
    const next = [...steps];
    const [upper, lower] = [next[at - 1], next[at]];
    if (!upper || !lower) return;
    next.splice(at - 1, 2, lower, upper);
    onSteps(next);
  };
  return (
    <>
      {steps.map((step, at) => (
        <EventEditor
          key={at}
          label={`Step ${at + 1}`}
          value={step}
          onValue={(next) => change(at, next)}
          before={<strong class="ask-letter">{at + 1}</strong>}
          after={
            <>
              {at > 0 && (
                <Button kind="quiet" aria-label={`Move step ${at + 1} up`} onClick={() => swap(at)}>
                  ↑
                </Button>
              )}
              {steps.length > LEAST && (
                <Button
                  kind="quiet"
                  aria-label={`Remove step ${at + 1}`}
                  onClick={() => onSteps(steps.filter((_, other) => other !== at))}
                >
                  ✕
                </Button>
              )}
            </>
          }
        />
      ))}
      {steps.length < MOST && (
        <div class="row">
          <Button kind="quiet" onClick={() => onSteps([...steps, picked(null)])}>
            + Step
          </Button>
        </div>
      )}
    </>
  );
}

function Exclusions(props: {
  exclusions: readonly Exclusion[];
  steps: readonly EventPick[];
  onExclusions: (exclusions: Exclusion[]) => void;
}) {
  const { exclusions, steps, onExclusions } = props;
  const change = (at: number, next: Exclusion) =>
    onExclusions(exclusions.map((one, other) => (other === at ? next : one)));
  const choices = (from: number, to: number) =>
    steps.slice(from, to).map((_, at) => [String(from + at), `step ${from + at + 1}`] as const);
  return (
    <>
      {exclusions.map((one, at) => (
        <EventEditor
          key={at}
          label="What must not happen"
          value={{ ...one, event: one.event ?? null, filters: one.filters ?? null }}
          onValue={(next) => change(at, next)}
          after={
            <Button
              kind="quiet"
              aria-label="Remove what must not happen"
              onClick={() => onExclusions(exclusions.filter((_, other) => other !== at))}
            >
              ✕
            </Button>
          }
        >
          <div class="ask-pair">
            <Select
              label="After"
              value={String(one.from_step)}
              choices={choices(0, steps.length - 1)}
              onValue={(from) =>
                change(at, { ...one, from_step: Number(from), to_step: Math.max(one.to_step, Number(from) + 1) })
              }
            />
            <Select
              label="Before"
              value={String(one.to_step)}
              choices={choices(one.from_step + 1, steps.length)}
              onValue={(to) => change(at, { ...one, to_step: Number(to) })}
            />
          </div>
        </EventEditor>
      ))}
      {exclusions.length < EXCLUSIONS && (
        <div class="row">
          <Button
            kind="quiet"
            onClick={() =>
              onExclusions([...exclusions, { event: null, filters: null, from_step: 0, to_step: steps.length - 1 }])
            }
          >
            + Without an event in between
          </Button>
        </div>
      )}
    </>
  );
}
