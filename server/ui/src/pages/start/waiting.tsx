import { useEffect, useState } from 'preact/hooks';
import { answer, GET } from '../../api/client';
import { useAction, useAnswer } from '../../api/use';
import { ago, millis } from '../../format';
import { Badge } from '../../parts/badge';
import { Button, Refused } from '../../parts/form';
import { may } from '../../session';
import { brief } from '../../words/events';
import { useFeed } from '../live/use-feed';
import { useStrangers } from '../live/use-strangers';
import { diagnose, type Finding, PATIENCE_MS } from './diagnosis';
import { sendTest } from './send-test';

const EVERYTHING = { event: '', person: '', refused: true };

/** Listens for the first event, and says what came instead. */
export function Waiting({ writeKey }: { writeKey: string | null }) {
  const { feed, state, refusal } = useFeed(EVERYTHING, false);
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  // What came before this page listened; looked at again at the end of its patience, for what came in between.
  const stored = useAnswer(
    (signal) => answer(GET('/api/v1/events', { params: { query: { limit: 1 } }, signal })),
    [waited],
  );
  const strangers = useStrangers(may('admin'));
  const came = feed.rows.findLast((row) => row.kind === 'event')?.data;
  const known = stored.data?.events[0];
  const isFirst = known === undefined || known.id === came?.id;
  const test = useAction(async () => {
    if (writeKey) await sendTest(writeKey);
  });
  return (
    <section class="card waiting" aria-label="The first event">
      <Refused refusal={refusal ?? stored.refusal ?? strangers.refusal} />
      {came ? (
        <Arrived key={came.id} event={came} said={isFirst ? 'The first event has arrived:' : 'An event has arrived:'} />
      ) : known ? (
        <Arrived key={known.id} event={known} said="Events arrive here. The last one:" />
      ) : (
        <div class="row spread">
          <p class="waiting-line" role="status">
            <i class={state === 'open' ? 'pulse' : 'pulse off'} />
            {state === 'open' ? 'Waiting for the first event' : 'Connecting…'}
          </p>
          {writeKey !== null && (
            <Button busy={test.busy} onClick={() => void test.run()}>
              Send a test event for me
            </Button>
          )}
        </div>
      )}
      <Refused refusal={test.refusal} />
      {!came && !known && (waited || feed.refused > 0) && (
        <Findings
          findings={diagnose({
            refused: feed.rows.filter((row) => row.kind !== 'event'),
            strangers: strangers.strangers,
            writeKey,
            origin: location.origin,
            seesStrangers: may('admin'),
            now: Date.now(),
          })}
        />
      )}
    </section>
  );
}

function Arrived({ event, said }: { event: { event: string; received_at: string }; said: string }) {
  // How long ago it is when it is first seen: afterwards it does not matter to the second.
  const [seen] = useState(Date.now());
  const away = Math.max(0, seen - Date.parse(event.received_at));
  return (
    <div class="row spread">
      <p class="waiting-line" role="status">
        <i class="pulse here" />
        <span>
          {said} <bdi class="id">{brief(event.event, 80)}</bdi>,{' '}
          {away < 60_000 ? `${millis(away)} ago` : ago(event.received_at, seen)}
        </span>
      </p>
      <div class="row">
        <a class="button primary" href="/live">
          See it live
        </a>
        <a class="button plain" href="/">
          See what is going on
        </a>
      </div>
    </div>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul class="findings" aria-live="polite">
      {findings.map((finding) => (
        <li key={finding.key}>
          <h2>
            <bdi>{finding.title}</bdi> {finding.times > 1 && <Badge>{finding.times} times</Badge>}
          </h2>
          <p>{finding.means}</p>
          {finding.hints.map((hint) => (
            <p key={hint}>{hint}</p>
          ))}
          {finding.detail && (
            <p class="muted">
              <bdi>{finding.detail}</bdi>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
