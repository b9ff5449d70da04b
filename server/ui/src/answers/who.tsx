import { useState } from 'preact/hooks';
import { askWho, PEOPLE_PAGE } from '../api/ask';
import { useAction, usePages } from '../api/use';
import { csv } from '../format';
import { download } from '../parts/copy';
import { Dialog } from '../parts/dialog';
import { Button, Refused } from '../parts/form';
import { Loading } from '../parts/loading';
import { Empty } from '../parts/page';
import { More, Table } from '../parts/table';
import { Ago } from '../parts/time';
import type { Asked } from '../question/question';
import { personHref } from '../words/person';
import { fileName, type Place } from './sheet';

/** A file has at most so many people: 50,000, as many as a cohort's list takes at once. */
const FILE_MAX = 50_000;

/** The people behind a number. */
export function Who({ question, place, onClose }: { question: Asked; place: Place; onClose: () => void }) {
  const pages = usePages(
    async (cursor, signal) => {
      const page = await askWho(question, place.at, cursor ? Number(cursor) : undefined, PEOPLE_PAGE, signal);
      return { rows: page.persons, next: page.next_cursor == null ? null : String(page.next_cursor) };
    },
    [question, place],
  );
  const [saved, setSaved] = useState('');
  const file = useAction(async () => {
    const people = await everybody(question, place);
    setSaved(people.length >= FILE_MAX ? `The file has the first ${FILE_MAX.toLocaleString('en')}.` : '');
    download(`${fileName(place.title)}.csv`, csv([['person_id', 'kind', 'id', 'first_seen_at'], ...people]));
  });
  const none = !pages.loading && !pages.refusal && pages.rows.length === 0;
  return (
    <Dialog title={place.title} wide onClose={onClose}>
      <div class="stack">
        <Refused refusal={pages.refusal ?? file.refusal} again={pages.again} />
        {none && <Empty title="Nobody is here any more" />}
        <Loading when={pages.loading && pages.rows.length === 0} />
        {pages.rows.length > 0 && (
          <>
            <div class="row spread">
              <span class="muted">
                {pages.more
                  ? `The first ${pages.rows.length}`
                  : pages.rows.length === 1
                    ? '1 person'
                    : `${pages.rows.length} people`}
              </span>
              <Button busy={file.busy} onClick={() => void file.run()}>
                All as CSV
              </Button>
            </div>
            {saved && <p class="muted">{saved}</p>}
            <Table
              label="People"
              rows={pages.rows}
              keyOf={(row) => row.person_id}
              columns={[
                { name: 'Person', cell: (row) => <a href={personHref(row.id)}>{row.id}</a> },
                { name: 'Kind', cell: (row) => (row.kind === 'user' ? 'identified' : 'anonymous') },
                { name: 'First seen', cell: (row) => <Ago at={row.first_seen_at} /> },
              ]}
            />
            <More more={pages.more} loading={pages.loading} />
          </>
        )}
      </div>
    </Dialog>
  );
}

async function everybody(question: Asked, place: Place) {
  const rows: (string | number)[][] = [];
  let cursor: number | undefined;
  do {
    const page = await askWho(question, place.at, cursor, 1000, new AbortController().signal);
    rows.push(...page.persons.map((one) => [one.person_id, one.kind, one.id, one.first_seen_at]));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < FILE_MAX);
  return rows;
}
