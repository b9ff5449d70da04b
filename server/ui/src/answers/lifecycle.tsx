import { colourOf } from '../parts/chart';
import { Bars } from './bars';
import type { Opens } from './people';
import { intervalOf, lifecyclePlace, STATES } from './sheet';
import { type AnswerOf, periodSaid } from './words';

/** What the states mean, as people say it. */
const MEANING = {
  new: 'New: never here before',
  returning: 'Returning: here the period before, too',
  resurrecting: 'Resurrecting: back after a pause',
  dormant: 'Dormant: here the period before, not now',
} as const;

const COLOURS = { new: colourOf(2), returning: colourOf(0), resurrecting: colourOf(6), dormant: colourOf(1) } as const;

/** Who is there in each period: above the line who came, below it who stayed away. */
export function Lifecycle({ answer, opens }: { answer: AnswerOf<'lifecycle'>; opens: Opens }) {
  const open = answer.labels.indexOf(answer.meta.incomplete_from ?? '');
  const parts = STATES.map((state) => ({ name: state, colour: COLOURS[state] }));
  return (
    <>
      <Bars
        label="New, returning, resurrecting and dormant people over time; the table has the numbers"
        parts={parts}
        stacks={answer.labels.map((label, at) => ({
          name: periodSaid(label, intervalOf(answer)),
          values: STATES.map((state) => (answer[state][at] ?? 0) * (state === 'dormant' ? -1 : 1)),
          open: open >= 0 && at >= open,
        }))}
        onPick={opens && ((at, part) => opens(lifecyclePlace(answer, at, STATES[part] ?? 'new')))}
      />
      <ul class="answer-legend">
        {STATES.map((state) => (
          <li key={state}>
            <i class="dot" style={{ background: COLOURS[state] }} />
            <span>{MEANING[state]}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
