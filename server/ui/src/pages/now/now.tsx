import { useEffect, useState } from 'preact/hooks';
import { answer, GET } from '../../api/client';
import { useStream } from '../../api/stream';
import { useAnswer } from '../../api/use';
import { Refused } from '../../parts/form';
import { Empty, Page } from '../../parts/page';
import '../../styles/now.css';
import { ProblemCard } from './problem';
import { Strips } from './strips';
import { headline, hour, isClear, type NowAnswer, watch } from './words';

/** Without a stream it is asked again every 15 s, as often as the detectors look. */
const AGAIN_MS = 15_000;

/** What is broken, and how it goes. */
export function Now() {
  const { now, refusal, again } = useNow();
  if (!now) {
    return (
      <div class="page" aria-busy={!refusal}>
        <h1 class="hidden">Now</h1>
        <Refused refusal={refusal} again={again} />
      </div>
    );
  }
  const isSilent = now.strips.events.every((events) => events === 0);
  return (
    <div class={isClear(now) ? 'now clear' : 'now'}>
      <Page title={headline(now)}>
        <Refused refusal={refusal} again={again} />
        <Watch now={now} />
        {now.problems.length > 0 && (
          <ol class="problems">
            {now.problems.map((problem) => (
              <ProblemCard key={problem.id} problem={problem} now={now.at} />
            ))}
          </ol>
        )}
        {now.problems_rest > 0 && (
          <p>
            <a href="/health/problems">{now.problems_rest} more</a>
          </p>
        )}
        {isSilent && <FirstEvent />}
        <Strips strips={now.strips} />
      </Page>
    </div>
  );
}

/** The first answer, then whatever the stream brings. */
function useNow() {
  const asked = useAnswer((signal) => answer(GET('/api/v1/now', { signal })), []);
  const [told, setTold] = useState<NowAnswer>();
  const stream = useStream(asked.data ? '/api/v1/now/live' : '', { now: (data) => setTold(data as NowAnswer) }, []);
  useEffect(() => {
    if (stream === 'open') return;
    const timer = setInterval(asked.again, AGAIN_MS);
    return () => clearInterval(timer);
  }, [stream, asked.again]);
  const isTold = told && asked.data && Date.parse(told.at) > Date.parse(asked.data.at);
  // While the stream tells, it does not matter that an answer was refused before.
  const refusal = stream === 'open' ? undefined : asked.refusal;
  return { now: isTold ? told : asked.data, refusal, again: asked.again };
}

/** What the verdict rests on. */
function Watch({ now }: { now: NowAnswer }) {
  const state = watch(now);
  if (isClear(now)) return <p class="muted calm">Nothing is broken. {hour(now.strips)}</p>;
  if (state === 'looking') return null;
  return (
    <p class="notice" role="status">
      {state === 'never'
        ? 'The detectors have not looked at this project yet; they do every 15 seconds.'
        : 'The detectors do not run, so what is broken now is not known.'}{' '}
      <a href="/health/jobs">See the jobs</a>
    </p>
  );
}

/** Asks only when the hour was silent whether there has ever been an event. */
function FirstEvent() {
  const names = useAnswer(
    (signal) => answer(GET('/api/v1/event-names', { params: { query: { limit: 1 } }, signal })),
    [],
  );
  if (names.data?.event_names.length !== 0) return null;
  return (
    <div class="card">
      <Empty title="No event has arrived yet">
        <a href="/start">Send the first one</a>: it takes two minutes.
      </Empty>
    </div>
  );
}
