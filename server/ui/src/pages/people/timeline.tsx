import { useMemo, useState } from 'preact/hooks';
import { answer, GET } from '../../api/client';
import { usePages } from '../../api/use';
import { full, seconds } from '../../format';
import { Refused } from '../../parts/form';
import { Empty } from '../../parts/page';
import { More } from '../../parts/table';
import { told } from '../../words/events';
import { personHref } from '../../words/person';
import { Seen } from '../live/seen';
import { clockTime } from '../live/time';
import { type Entry, type EventEntry, grouped, lasted, type Stretch, type Turn } from './grouping';
import { ofTurn, type Pairs } from './turn-words';

/** Entries of a page: most people's whole story, so that what joined with a sign-in is counted in full. */
const ENTRIES = 200;

const DAY = new Intl.DateTimeFormat('en', { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' });

/** What a person did, and in between how it became who it is. */
export function Timeline(props: { id: string; from: string | undefined; to: string | undefined; pairs: Pairs }) {
  const { id, from, to, pairs } = props;
  const [person, setPerson] = useState(0);
  const [open, setOpen] = useState<EventEntry>();
  const story = usePages<Entry>(
    async (cursor, signal) => {
      const query = { limit: ENTRIES, ...(from && { from }), ...(to && { to }), ...(cursor && { cursor }) };
      const params = { path: { id }, query };
      const page = await answer(GET('/api/v1/persons/{id}/timeline', { params, signal }));
      setPerson(page.person_id);
      return { rows: page.entries, next: page.next_cursor };
    },
    [id, from, to],
  );
  // What is cut off at `from` is not at hand either.
  const complete = story.more === undefined && from === undefined;
  const days = useMemo(
    () => grouped(story.rows, person, complete, (at) => DAY.format(new Date(at))),
    [story.rows.length, story.rows[0], person, complete],
  );
  return (
    <>
      <Refused refusal={story.refusal} again={story.again} />
      {(from || to) && (
        <p class="muted">
          Only one session is shown. <a href={personHref(id)}>Show everything.</a>
        </p>
      )}
      <p class="muted person-legend">
        <i class="mark hollow" /> anonymous <i class="mark" /> signed in
      </p>
      {days.map(({ day, stretches }) => (
        <section class="card day" key={day} aria-label={day}>
          <h2>{day}</h2>
          {stretches.map((stretch, at) => (
            <Together key={`${at} ${stretch.session}`} stretch={stretch} pairs={pairs} onOpen={setOpen} />
          ))}
        </section>
      ))}
      {days.length === 0 && !story.loading && !story.refusal && <Empty title="Nothing has happened yet" />}
      <More more={story.more} loading={story.loading} />
      {open && <Seen row={{ kind: 'event', data: open }} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Together(props: { stretch: Stretch; pairs: Pairs; onOpen: (event: EventEntry) => void }) {
  const { stretch, pairs, onOpen } = props;
  return (
    <div class="stretch">
      {stretch.session !== null && (
        <p class="muted stretch-head">
          Session <bdi>{stretch.session}</bdi> · {seconds(Math.round(lasted(stretch)))}
        </p>
      )}
      <ol>
        {stretch.lines.map((line) =>
          line.type === 'event' ? (
            <Happened key={line.id} event={line} onOpen={onOpen} />
          ) : (
            <Merge key={`${line.change.event_id} ${line.change.id}`} turn={line} pairs={pairs} />
          ),
        )}
      </ol>
    </div>
  );
}

function Happened({ event, onOpen }: { event: EventEntry; onOpen: (event: EventEntry) => void }) {
  const { what, more } = told(event);
  const anonymous = event.user_id == null;
  return (
    <li class="happened">
      <time dateTime={event.timestamp} title={full(event.timestamp)}>
        {clockTime(event.timestamp, new Date(event.timestamp))}
      </time>
      <i class={anonymous ? 'mark hollow' : 'mark'} title={anonymous ? 'anonymous' : 'signed in'} />
      <span class="happened-what">
        <button type="button" class="linklike" onClick={() => onOpen(event)}>
          <bdi>{what}</bdi>
        </button>
        <bdi class="muted">{more}</bdi>
      </span>
    </li>
  );
}

/** The moment in which ids became one person, or two again. */
function Merge({ turn, pairs }: { turn: Turn; pairs: Pairs }) {
  const { title, more } = ofTurn(turn, pairs);
  return (
    <li class={turn.came ? 'merge' : 'merge apart'}>
      <strong>
        {title.map((piece) => (typeof piece === 'string' ? piece : <bdi key={piece.id}>{piece.id}</bdi>))}
      </strong>
      <span>{more}</span>
      <time class="muted" dateTime={turn.change.timestamp}>
        {full(turn.change.timestamp)}
      </time>
    </li>
  );
}
