import { Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import type { QuestionOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { EventEditor, Part } from './parts';

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
