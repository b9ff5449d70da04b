import { useEffect, useMemo, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { counted } from '../../format';
import { Badge } from '../../parts/badge';
import { Button, Refused } from '../../parts/form';
import { Empty, Page } from '../../parts/page';
import { More } from '../../parts/table';
import { may } from '../../session';
import { useKeys } from '../../shell/keys';
import '../../styles/live.css';
import { Arrivals } from './arrivals';
import { type Feed, type Filter, pause, type Row, resume, wanted } from './feed';
import { Filters } from './filters';
import { Seen } from './seen';
import { Strangers } from './strangers';
import { type Heard, useFeed } from './use-feed';
import { useStrangers } from './use-strangers';

/** A look is at the newest; more rows are drawn on request. */
const DRAWN = 100;

/** What arrives, as it arrives, and what is refused, with its reason. */
export default function Live() {
  const { query, route } = useLocation();
  const filter: Filter = { event: query.event ?? '', person: query.person ?? '', refused: query.only === 'refused' };
  const { feed, change, state, refusal } = useFeed(filter, true);
  const strangers = useStrangers(may('admin'));
  const [open, setOpen] = useState<Row>();
  const [drawn, setDrawn] = useState(DRAWN);
  const toggle = () => change((feed) => (feed.paused ? resume(feed) : pause(feed)));
  useKeys(useMemo(() => [{ keys: 'p', does: 'Pause, or go on', run: toggle }], [change]));
  useEffect(() => setDrawn(DRAWN), [feed.paused]);
  const rows = feed.rows.filter((row) => wanted(row, filter));
  return (
    <Page
      title="Live"
      actions={
        <>
          <State state={state} paused={feed.paused} />
          <Button onClick={toggle}>{feed.paused ? 'Go on' : 'Pause'}</Button>
        </>
      }
    >
      <Filters filter={filter} onFilter={(filter) => route(addressOf(filter), true)} />
      <Refused refusal={refusal ?? strangers.refusal} />
      <Counts feed={feed} />
      <Strangers requests={strangers.strangers} open={filter.refused} />
      <Arrivals rows={rows.slice(0, drawn)} onOpen={setOpen} />
      {rows.length === 0 && <Nothing filter={filter} state={state} />}
      <More more={rows.length > drawn ? () => setDrawn(drawn + DRAWN) : undefined} loading={false} />
      {open && <Seen row={open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function addressOf(filter: Filter): string {
  const query = new URLSearchParams();
  if (filter.event !== '') query.set('event', filter.event);
  if (filter.person !== '') query.set('person', filter.person);
  if (filter.refused) query.set('only', 'refused');
  return query.size === 0 ? '/live' : `/live?${query}`;
}

function State({ state, paused }: { state: Heard['state']; paused: boolean }) {
  const [tone, word] = paused
    ? (['warn', 'Paused'] as const)
    : ({ open: ['good', 'Listening'], connecting: ['plain', 'Connecting…'], lost: ['bad', 'Not connected'] } as const)[
        state
      ];
  return (
    <span role="status">
      <Badge tone={tone}>{word}</Badge>
    </span>
  );
}

function Counts({ feed }: { feed: Feed }) {
  const said = [
    `${feed.events === 0 ? 'No event' : counted(feed.events, 'event', 'events')} since this page was opened`,
    feed.refused > 0 && `${counted(feed.refused, 'refusal', 'refusals')}`,
    feed.paused && feed.meanwhile > 0 && `${counted(feed.meanwhile, 'arrival', 'arrivals')} during the pause`,
    feed.missed > 0 && `missed ${counted(feed.missed, 'one', 'of them')}, because more came than this page could take`,
  ];
  return <p class="muted live-counts">{said.filter(Boolean).join(' · ')}</p>;
}

function Nothing({ filter, state }: { filter: Filter; state: Heard['state'] }) {
  if (state !== 'open') return null;
  if (filter.refused) {
    return (
      <Empty title="Nothing was refused since this page was opened">What is refused from now on appears here.</Empty>
    );
  }
  if (filter.event !== '' || filter.person !== '') {
    return <Empty title="Nothing like this has arrived">What arrives from now on appears here.</Empty>;
  }
  return (
    <Empty title="No event has arrived yet">
      <a href="/start">See how to send one.</a> It appears here within a second.
    </Empty>
  );
}
