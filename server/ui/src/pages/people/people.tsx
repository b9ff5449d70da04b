import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, GET } from '../../api/client';
import type { Schema } from '../../api/types';
import { usePages } from '../../api/use';
import { count } from '../../format';
import { Field, Refused } from '../../parts/form';
import { Card, Empty, Page } from '../../parts/page';
import { type Column, More, Table } from '../../parts/table';
import { Ago } from '../../parts/time';
import { may } from '../../session';
import '../../styles/people.css';
import { nameOf, personHref } from '../../words/person';
import { Asked } from './asked';

/** Who types is asked for after 300 ms of rest, and not for each letter. */
const REST_MS = 300;

/** People of a page: a screen or two. */
const PEOPLE = 50;

type Listed = Schema<'ListedPerson'>;

const COLUMNS: Column<Listed>[] = [
  { name: 'Person', cell: (person) => <Name person={person} /> },
  { name: 'Ids', number: true, cell: (person) => count(person.identity_count) },
  { name: 'Last seen', cell: (person) => <Ago at={person.last_seen_at} /> },
];

/** Everybody, those that came last first. */
export default function People() {
  const { query, route } = useLocation();
  const search = query.search ?? '';
  const [typed, setTyped] = useState(search);
  useEffect(() => setTyped(search), [search]);
  useEffect(() => {
    if (typed === search) return;
    const address = typed === '' ? '/people' : `/people?${new URLSearchParams({ search: typed })}`;
    // Who has gone on meanwhile is not brought back: this page stays until the next one is there.
    const go = () => location.pathname === '/people' && route(address, true);
    const timer = setTimeout(go, REST_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const people = usePages<Listed>(
    async (cursor, signal) => {
      const query = { limit: PEOPLE, ...(search !== '' && { search }), ...(cursor && { cursor: Number(cursor) }) };
      const { persons, next_cursor } = await answer(GET('/api/v1/persons', { params: { query }, signal }));
      return { rows: persons, next: next_cursor == null ? null : String(next_cursor) };
    },
    [search],
  );
  return (
    <Page title="People">
      {may('admin') && <Asked />}
      <div class="people-search">
        <Field
          label="Search"
          bare
          type="search"
          placeholder="Id, e-mail address or name"
          maxLength={200}
          value={typed}
          onValue={setTyped}
        />
      </div>
      <Refused refusal={people.refusal} again={people.again} />
      {people.rows.length > 0 && (
        <Card class="people-list">
          <Table label="People" columns={COLUMNS} rows={people.rows} keyOf={(person) => person.person_id} />
        </Card>
      )}
      {people.rows.length === 0 && !people.loading && !people.refusal && (
        <Nobody search={search} more={people.more !== undefined} />
      )}
      <More more={people.more} loading={people.loading} />
    </Page>
  );
}

function Name({ person }: { person: Listed }) {
  const name = nameOf(person.id, person.properties as Record<string, unknown>);
  return (
    <span class="person-name">
      <a href={personHref(person.id)}>
        <bdi>{name}</bdi>
      </a>
      {name !== person.id && <bdi class="muted person-id">{person.id}</bdi>}
      {person.kind === 'anonymous' && <span class="muted">anonymous</span>}
    </span>
  );
}

function Nobody({ search, more }: { search: string; more: boolean }) {
  if (more) return <Empty title="Nobody among those who came last">There are more to look at.</Empty>;
  if (search !== '') return <Empty title="Nobody like this">Ids, e-mail addresses and names are looked at.</Empty>;
  return (
    <Empty title="Nobody yet">
      People are here as soon as an event names them. <a href="/start">See how to send one.</a>
    </Empty>
  );
}
