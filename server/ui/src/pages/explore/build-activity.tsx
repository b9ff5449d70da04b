import { Button } from '../../parts/form';
import { letter, picked, type QuestionOf } from '../../question/question';
import type { Build } from './builder';
import { FilterEditor } from './filter-editor';
import { BreakdownEditor, EventEditor, IntervalSelect, Part } from './parts';
import { RangeEditor } from './range-editor';

const TIME = ['date_from', 'date_to', 'timezone', 'interval'];

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
