import { Combobox } from '../../parts/combobox';
import { Button, Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { eventOptions, known, useEventNames, useProperties } from '../../question/names';
import { picked, type QuestionOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { EventEditor, Part } from './parts';
import { RangeEditor } from './range-editor';

export function BuildPaths({ question, set }: Build<QuestionOf<'paths'>>) {
  const names = useEventNames().data;
  const pages = known(useProperties('$pageview').data, 'event', '$pathname')?.values ?? [];
  const points = [
    { value: '', name: 'Anywhere' },
    ...eventOptions(names?.filter((one) => !one.event.startsWith('$'))),
    ...pages.map((one) => ({ value: String((one as { value?: unknown }).value ?? one), hint: 'page' })),
  ];
  const at = (value: string | null | undefined) =>
    value && !points.some((point) => point.value === value) ? [...points, { value }] : points;
  const events = question.events ?? [];
  return (
    <>
      <Part title="From" at={['start']}>
        <Combobox
          label="Where paths begin"
          bare
          free
          value={question.start ?? ''}
          options={at(question.start)}
          onPick={(start) => set({ start: start === '' ? null : start })}
        />
      </Part>
      <Part title="To" at={['end']}>
        <Combobox
          label="Where paths end"
          bare
          free
          value={question.end ?? ''}
          options={at(question.end)}
          onPick={(end) => set({ end: end === '' ? null : end })}
        />
      </Part>
      <Part title="Points" at={['events', 'max_steps', 'min_edge', 'limit']}>
        {events.map((one, place) => (
          <EventEditor
            key={place}
            label="What is a point"
            value={one}
            onValue={(next) => set({ events: events.map((other, there) => (there === place ? next : other)) })}
            after={
              <Button
                kind="quiet"
                aria-label="Remove this point"
                onClick={() => set({ events: events.filter((_, there) => there !== place) })}
              >
                ✕
              </Button>
            }
          />
        ))}
        <div class="row">
          <Button kind="quiet" onClick={() => set({ events: [...events, picked(names?.[0]?.event ?? null)] })}>
            + Only these events
          </Button>
        </div>
        <div class="ask-pair">
          <Select
            label="Points of a path"
            value={String(question.max_steps)}
            choices={[2, 3, 4, 5, 6, 7].map((steps) => [String(steps), String(steps)] as const)}
            onValue={(steps) => set({ max_steps: Number(steps) })}
          />
          <Settled
            label="At least, people"
            type="number"
            min={1}
            value={String(question.min_edge)}
            onValue={(least) => set({ min_edge: Number(least) })}
          />
        </div>
      </Part>
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={null} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Time" at={['date_from', 'date_to', 'timezone']}>
        <RangeEditor value={question} onValue={set} />
      </Part>
    </>
  );
}
