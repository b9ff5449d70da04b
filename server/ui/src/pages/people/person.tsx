import { useMemo, useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import { answer, GET, projectId } from '../../api/client';
import type { Schema } from '../../api/types';
import { useAnswer } from '../../api/use';
import { counted } from '../../format';
import { Badge } from '../../parts/badge';
import { Button, Refused } from '../../parts/form';
import { Empty, Page, Tabs } from '../../parts/page';
import { Ago } from '../../parts/time';
import { may } from '../../session';
import '../../styles/people.css';
import { brief } from '../../words/events';
import { nameOf, personHref } from '../../words/person';
import { fileName } from './confirm';
import { Erase } from './erase';
import { Ids } from './ids';
import { Known } from './known';
import { Sessions } from './sessions';
import { Timeline } from './timeline';
import type { Pairs } from './turn-words';

/** One person: who it is, why these ids are one, and all that it did, under any of them. */
export default function Person() {
  const id = useRoute().params.id ?? '';
  const path = { id };
  const [turn, setTurn] = useState(0);
  const person = useAnswer(
    (signal) => answer(GET('/api/v1/persons/{id}', { params: { path, query: { limit: 1 } }, signal })),
    [id, turn],
  );
  if (person.refusal?.status === 404) {
    return (
      <Page title="Nobody has this id">
        <Empty title="There is no person with this id">
          Maybe it was erased, or has not sent an event yet. <a href="/people">See everybody.</a>
        </Empty>
      </Page>
    );
  }
  const found = person.data;
  return (
    <Page
      title={found ? brief(nameOf(id, found.properties as Record<string, unknown>), 60) : 'Person'}
      actions={found && <Actions id={id} person={found} />}
    >
      <Refused refusal={person.refusal} again={person.again} />
      {found && <Facts id={id} person={found} />}
      {found && <Body key={`${found.person_id} ${turn}`} id={id} person={found} onChange={() => setTurn(turn + 1)} />}
    </Page>
  );
}

type Found = Schema<'Person'>;

function Facts({ id, person }: { id: string; person: Found }) {
  const isUser = person.identities.some((identity) => identity.kind === 'user');
  return (
    <p class="muted person-facts">
      {!isUser && <Badge>anonymous</Badge>}
      {nameOf(id, person.properties as Record<string, unknown>) !== id && <bdi class="person-id">{id}</bdi>}
      <span>{counted(person.events, 'event', 'events')}</span>
      <span>{counted(person.identity_count, 'id', 'ids')}</span>
      <span>
        first seen <Ago at={person.first_seen_at} />
      </span>
      <span>
        last seen <Ago at={person.last_seen_at} />
      </span>
    </p>
  );
}

function Actions({ id, person }: { id: string; person: Found }) {
  const [erasing, setErasing] = useState(false);
  return (
    <>
      <a
        class="button plain"
        href={`/v1/persons/${encodeURIComponent(id)}/export?project=${projectId.value}`}
        download={fileName(id)}
      >
        Export
      </a>
      {may('admin') && (
        <Button kind="danger" onClick={() => setErasing(true)}>
          Erase…
        </Button>
      )}
      {erasing && <Erase id={id} person={person} onClose={() => setErasing(false)} />}
    </>
  );
}

function Body({ id, person, onChange }: { id: string; person: Found; onChange: () => void }) {
  const { query, url } = useLocation();
  const path = { id };
  const why = useAnswer((signal) => answer(GET('/v1/persons/{id}/explain', { params: { path }, signal })), [id]);
  const pairs = useMemo(() => pairsOf(why.data), [why.data]);
  const here = personHref(id);
  const sessions = `${here}?view=sessions`;
  const isSessions = query.view === 'sessions';
  return (
    <div class="person">
      <details class="who-it-is" open={matchMedia('(min-width: 901px)').matches}>
        <summary>Who it is</summary>
        <div class="stack">
          <Ids why={why} onChange={onChange} />
          <Known properties={person.properties as Record<string, unknown>} />
        </div>
      </details>
      <div class="stack">
        <Tabs
          label="What to see of this person"
          current={isSessions ? sessions : here}
          tabs={[
            { href: here, name: 'Timeline' },
            { href: sessions, name: 'Sessions' },
          ]}
        />
        {isSessions ? (
          <Sessions id={id} since={person.first_seen_at} />
        ) : (
          <Timeline key={url} id={id} from={query.from} to={query.to} pairs={pairs} />
        )}
      </div>
    </div>
  );
}

/** Which two users each alias names, also those that join nobody any more. */
function pairsOf(why: Schema<'Explanation'> | undefined): Pairs {
  const pairs = new Map<string, readonly [string, string]>();
  for (const { id, because } of why?.identities ?? []) {
    if (because?.fact === 'alias') pairs.set(because.event_id, [because.with.id, id]);
  }
  for (const { event_id, users } of why?.passed_over ?? []) {
    if (users[0] !== undefined && users[1] !== undefined) pairs.set(event_id, [users[0], users[1]]);
  }
  return pairs;
}
