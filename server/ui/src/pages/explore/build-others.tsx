import { Combobox } from '../../parts/combobox';
import { Button, Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { eventOptions, known, useEventNames, useProperties } from '../../question/names';
import { letter, picked, type QuestionOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { BreakdownEditor, EventEditor, IntervalSelect, Part } from './parts';
import { RangeEditor } from './range-editor';

const TIME = ['date_from', 'date_to', 'timezone', 'interval'];

export function BuildRetention({ question, set }: Build<QuestionOf<'retention'>>) {
  return (
    <>
      <Part title="Who begins with" at={['start_event']}>
        <EventEditor label="What begins" value={question.start_event} onValue={(start_event) => set({ start_event })}>
          <Select
            label="Who belongs to a period"
            bare
            value={question.type}
            choices={[
              ['first_time', 'for the first time ever'],
              ['recurring', 'each time'],
            ]}
            onValue={(type) => set({ type })}
          />
        </EventEditor>
      </Part>
      <Part title="And comes back with" at={['return_event', 'mode']}>
        <EventEditor
          label="What is coming back"
          value={question.return_event}
          onValue={(return_event) => set({ return_event })}
        >
          <Select
            label="When somebody counts as back"
            bare
            value={question.mode}
            choices={[
              ['exact', 'in that period'],
              ['on_or_after', 'in that period or later'],
            ]}
            onValue={(mode) => set({ mode })}
          />
        </EventEditor>
      </Part>
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={null} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Time" at={['period', 'intervals', 'window_mode', 'date_from', 'date_to', 'timezone']}>
        <div class="ask-pair">
          <Settled
            label="How many periods"
            bare
            type="number"
            min={1}
            max={60}
            value={String(question.intervals)}
            onValue={(intervals) => set({ intervals: Number(intervals) })}
          />
          <Select
            label="Length of a period"
            bare
            value={question.period}
            choices={[
              ['hour', 'hours'],
              ['day', 'days'],
              ['week', 'weeks'],
              ['month', 'months'],
            ]}
            onValue={(period) => set({ period })}
          />
        </div>
        <Select
          label="Where periods begin"
          bare
          value={question.window_mode}
          choices={[
            ['calendar', 'as in the calendar'],
            ['24h', 'from the person’s own beginning'],
          ]}
          onValue={(window_mode) => set({ window_mode })}
        />
      </Part>
    </>
  );
}

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
      <Part title="Time" at={TIME}>
        <RangeEditor value={question} onValue={set} />
      </Part>
    </>
  );
}

export function BuildLifecycle({ question, set }: Build<QuestionOf<'lifecycle'>>) {
  return (
    <>
      <Part title="Being there means" at={['event']}>
        <EventEditor label="What being there means" value={question.event} onValue={(event) => set({ event })} />
      </Part>
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={question.event.event} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Time" at={TIME}>
        <RangeEditor value={question} onValue={set} />
        <IntervalSelect value={question.interval} onValue={(interval) => set({ interval })} />
      </Part>
    </>
  );
}

export function BuildStickiness({ question, set }: Build<QuestionOf<'stickiness'>>) {
  const { series } = question;
  return (
    <>
      <Part title="What is done" at={['series']}>
        {series.map((one, at) => (
          <EventEditor
            key={at}
            label={`Event ${letter(at)}`}
            value={one}
            onValue={(next) => set({ series: series.map((other, place) => (place === at ? next : other)) })}
            after={
              series.length > 1 && (
                <Button
                  kind="quiet"
                  aria-label={`Remove event ${letter(at)}`}
                  onClick={() => set({ series: series.filter((_, place) => place !== at) })}
                >
                  ✕
                </Button>
              )
            }
          />
        ))}
        <div class="row">
          <Button kind="quiet" onClick={() => set({ series: [...series, picked(null)] })}>
            + Event
          </Button>
        </div>
      </Part>
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={null} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Time" at={TIME}>
        <RangeEditor value={question} onValue={set} />
        <IntervalSelect value={question.interval} onValue={(interval) => set({ interval })} />
      </Part>
    </>
  );
}

export function BuildSessions({ question, set }: Build<QuestionOf<'sessions'>>) {
  return (
    <>
      <Part title="Filters" at={['filters']}>
        <FilterEditor value={question.filters} event={null} onValue={(filters) => set({ filters })} />
      </Part>
      <Part title="Breakdown" at={['breakdown']}>
        <BreakdownEditor value={question.breakdown ?? []} event={null} onValue={(breakdown) => set({ breakdown })} />
      </Part>
      <Part title="Time" at={TIME}>
        <RangeEditor value={question} onValue={set} />
        <IntervalSelect value={question.interval} onValue={(interval) => set({ interval })} />
      </Part>
    </>
  );
}
