import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { answer, asRefusal, GET, projectId, type Refusal } from '../../api/client';
import { type StreamState, useStream } from '../../api/stream';
import type { Schema } from '../../api/types';
import { type Arrival, arrive, before, EMPTY, emptyInbox, type Feed, type Filter, streamPath, take } from './feed';

/** The page is drawn at most ten times a second, however much arrives. */
const DRAWN_EVERY_MS = 100;

/** A stream that was refused is asked for again after 5 s; browsers come back by themselves only where nobody answered. */
const AGAIN_MS = 5000;

/** So many events are shown of what was there before: a screen or two. */
const STORED = 50;

let lastKey = 0;

const numbered = (arrival: Arrival) => ({ ...arrival, key: ++lastKey });

export interface Heard {
  feed: Feed;
  change: (changed: (feed: Feed) => Feed) => void;
  state: StreamState;
  refusal: Refusal | undefined;
}

/** What arrives in the project, as it arrives; `stored`: with the newest of what was there before. */
export function useFeed(filter: Filter, stored: boolean): Heard {
  const [feed, setFeed] = useState(EMPTY);
  const [turn, setTurn] = useState(0);
  const [refusal, setRefusal] = useState<Refusal>();
  const inbox = useRef(emptyInbox());
  const drawing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const path = streamPath(filter);

  const draw = () => {
    drawing.current ??= setTimeout(() => {
      drawing.current = undefined;
      const came = inbox.current;
      inbox.current = emptyInbox();
      setFeed((feed) => take(feed, came));
    }, DRAWN_EVERY_MS);
  };
  const hear = (kind: Arrival['kind']) => (data: unknown) => {
    arrive(inbox.current, numbered({ kind, data } as Arrival));
    draw();
  };
  const state = useStream(
    path,
    {
      event: hear('event'),
      refused_event: hear('refused_event'),
      refused_request: hear('refused_request'),
      missed: (data) => {
        inbox.current.missed += (data as Schema<'LiveMissed'>).missed;
        draw();
      },
    },
    [turn],
  );

  useEffect(() => {
    const stop = new AbortController();
    inbox.current = emptyInbox();
    setFeed((feed) => ({ ...EMPTY, paused: feed.paused }));
    if (stored) {
      newest(filter, stop.signal).then(
        (rows) => !stop.signal.aborted && setFeed((feed) => before(feed, rows.map(numbered))),
        (thrown) => !stop.signal.aborted && setRefusal(asRefusal(thrown)),
      );
    }
    return () => {
      stop.abort();
      clearTimeout(drawing.current);
      drawing.current = undefined;
    };
  }, [path, stored]);

  useEffect(() => {
    if (state !== 'lost') return setRefusal(undefined);
    const stop = new AbortController();
    whyRefused(path, stop.signal).catch((thrown) => !stop.signal.aborted && setRefusal(asRefusal(thrown)));
    const timer = setTimeout(() => setTurn((turn) => turn + 1), AGAIN_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [state, turn, path]);

  const change = useCallback((changed: (feed: Feed) => Feed) => setFeed(changed), []);
  return { feed, change, state, refusal };
}

async function newest(filter: Filter, signal: AbortSignal): Promise<Arrival[]> {
  const query = {
    limit: STORED,
    ...(filter.event !== '' && { event: filter.event }),
    ...(filter.person !== '' && { person: filter.person }),
  };
  const { events } = await answer(GET('/api/v1/events', { params: { query }, signal }));
  return events.map((data) => ({ kind: 'event', data }));
}

/** An `EventSource` does not say why it was refused, so the question is put once more. */
async function whyRefused(path: string, signal: AbortSignal) {
  const headers = { 'Trailmark-Project': String(projectId.value) };
  const response = await fetch(path, { signal, headers });
  if (response.ok) await response.body?.cancel();
  await answer(Promise.resolve({ response, error: response.ok ? undefined : await response.json().catch(() => ({})) }));
}
