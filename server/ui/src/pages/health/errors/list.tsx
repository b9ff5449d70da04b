import { useEffect, useState } from 'preact/hooks';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { usePages } from '../../../api/use';
import { count, full } from '../../../format';
import { useAddress } from '../../../parts/address';
import { Badge } from '../../../parts/badge';
import { Button, Field, Refused, Select } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Empty } from '../../../parts/page';
import { Strip } from '../../../parts/strip';
import { More } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { HealthPage } from '../frame';
import { State, titleOf } from './words';

const STATES = [
  ['open', 'Open'],
  ['resolved', 'Resolved'],
  ['ignored', 'Ignored'],
  ['all', 'All'],
] as const;

const SORTS = [
  ['last_seen', 'Latest first'],
  ['first_seen', 'Newest first'],
  ['events', 'Most events'],
  ['people', 'Most people'],
] as const;

/** A search is asked when nobody has typed for so long. */
const PAUSE_MS = 250;

/** Errors that have the same reason, as one. */
export function IssueList() {
  const { query, change } = useAddress();
  const { state = 'open', q, sort = 'last_seen', release, from } = query;
  const issues = usePages(
    async (cursor, signal) => {
      const asked = { q, sort, release, from, cursor, limit: 50, ...(state === 'all' ? {} : { state }) };
      const page = await answer(GET('/api/v1/issues', { params: { query: asked as object }, signal }));
      return { rows: page.issues, next: page.next_cursor };
    },
    [state, q, sort, release, from],
  );
  return (
    <HealthPage tab="errors">
      <div class="filters">
        <fieldset class="choices">
          <legend class="hidden">Which errors</legend>
          {STATES.map(([value, name]) => (
            <button
              key={value}
              type="button"
              class="choice"
              aria-pressed={state === value}
              onClick={() => change({ state: value })}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <Search value={q ?? ''} onValue={(q) => change({ q })} />
        <Select label="Order" bare value={sort as 'events'} choices={SORTS} onValue={(sort) => change({ sort })} />
      </div>
      {(release || from) && (
        <p class="row">
          {release && <Chip name={`seen in ${release}`} onGone={() => change({ release: undefined })} />}
          {from && <Chip name={`since ${full(from)}`} onGone={() => change({ from: undefined })} />}
        </p>
      )}
      <Refused refusal={issues.refusal} again={issues.again} />
      <Loading when={issues.loading && issues.rows.length === 0} />
      {issues.rows.length > 0 && (
        <ul class="entries issues card flush">
          {issues.rows.map((issue) => (
            <Row key={issue.number} issue={issue} />
          ))}
        </ul>
      )}
      {issues.rows.length === 0 && !issues.loading && !issues.refusal && (
        <None isFiltered={!!(q || release || from)} state={state} />
      )}
      <More more={issues.more} loading={issues.loading} />
    </HealthPage>
  );
}

function Row({ issue }: { issue: Schema<'Issue'> }) {
  return (
    <li class="entry">
      <div class="entry-what">
        <a href={`/health/errors/${issue.number}`}>{titleOf(issue)}</a>
        <span class="muted facts">
          {issue.state !== 'ongoing' && <State state={issue.state} />}
          {issue.level !== 'error' && <Badge tone={issue.level === 'fatal' ? 'bad' : 'plain'}>{issue.level}</Badge>}
          <span>{issue.culprit}</span>
          {issue.last_release && <span>in {issue.last_release}</span>}
        </span>
      </div>
      <Strip kind="bars" values={issue.hours.counts} label={`The last 24 hours: ${issue.hours.counts.join(', ')}`} />
      <dl class="entry-numbers">
        <div>
          <dd>{count(issue.events)}</dd>
          <dt class="muted">events</dt>
        </div>
        <div>
          <dd>{count(issue.people)}</dd>
          <dt class="muted">people</dt>
        </div>
        <div>
          <dd>
            <Ago at={issue.last_seen} />
          </dd>
          <dt class="muted">last seen</dt>
        </div>
      </dl>
    </li>
  );
}

function Search({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onValue(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <Field
      label="Search errors"
      bare
      type="search"
      placeholder="Search type, message, place"
      value={typed}
      onValue={setTyped}
    />
  );
}

function Chip({ name, onGone }: { name: string; onGone: () => void }) {
  return (
    <span class="chip">
      {name}
      <Button kind="quiet" aria-label={`Not only ${name}`} onClick={onGone}>
        ✕
      </Button>
    </span>
  );
}

function None({ isFiltered, state }: { isFiltered: boolean; state: string }) {
  if (isFiltered) return <Empty title="No error is like that">Search for less, or look at all of them.</Empty>;
  if (state === 'open')
    return (
      <Empty title="No open errors">
        Errors that nobody catches are told by the SDKs by themselves; others with <code>captureException</code>.
      </Empty>
    );
  return <Empty title={state === 'all' ? 'No errors yet' : `No error is ${state}`} />;
}
