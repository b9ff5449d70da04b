import { connect, read, write, type Change, type Key, type Row } from './database';

/** How long the ids of taken records are remembered: 1 h. What Chromium had not yet written of localStorage when it was
 * killed is seconds old when busy pages are left, and minutes in the worst case. */
const REMEMBERED_MS = 60 * 60 * 1000;

/** Most transactions under way: 4. Beyond it changes are put together, so that a page in a hurry costs no more than that. */
const MAX_UNDER_WAY = 4;

/** How long a database that failed is left alone: 10 s, as a native client does with its disk. */
const RETRY_MS = 10_000;

/** Between the texts that the engine hands over. */
const BETWEEN = '\u001e';

/** The kinds of rows: ids that were taken, the checkpoint, events. */
const [IDS, CHECKPOINT, EVENT] = ['', 'c', 'e'];

/** What the engine has changed since it was last asked. */
export type Changes = () => string | undefined;

/** What is remembered of the engine: in IndexedDB, row by row. The engine itself has all of it in memory. */
export interface Rows {
  /** Whether they survive the page. */
  lasting_: boolean;
  /** What there was at the start, as the engine reads it. */
  found_: string;
  /** Why the latest write failed. */
  error_(): string | undefined;
  /** Whether a record with this id was taken in the last hour, also by another page. */
  knows_(id: string): boolean;
  /** The engine has taken the record with this id (or something without one); `saved` is called when that is safe. */
  note_(id: string, saved: () => void): void;
  /** What was noted is decided: nobody waits any more for a database that fails. */
  decided_(): void;
  /** Writes what was changed, at the end of each task. */
  save_(changes: Changes): void;
  /**
   * Writes what is left; resolves when that is over, well or not. Nothing is touched afterwards. Without `changes`, because
   * the engine cannot say, nothing that was noted since the latest write is safe.
   */
  close_(changes?: Changes): Promise<unknown>;
}

/** A change that is being written, and who waits for it. */
type Writing = Change & { saved_: (() => void)[]; written_?: boolean };

interface Ids {
  at: number;
  ids: string[];
}

/** For where nothing may be stored. */
export function noRows(): Rows {
  return rows('', () => 0, [], undefined);
}

/** The client's rows. Rejects where the browser has no database for them. */
export async function openRows(prefix: string, now: () => number): Promise<Rows> {
  const database = await connect();
  return rows(prefix, now, await read(database, prefix), database);
}

function rows(prefix: string, now: () => number, found: Row[], database: IDBDatabase | undefined): Rows {
  const lasting = !!database;
  const known = new Set<string>();
  /** When the rows with ids were written. */
  const remembered: [n: number, at: number][] = [];
  /** What is noted and not yet being written. */
  let ids: string[] = [];
  let waiting: (() => void)[] = [];
  /** What is not known to be written, in order, and what was written after it. Writing it again does no harm. */
  const open: Writing[] = [];
  let underWay = 0;
  let error: string | undefined;
  let failedAt = 0;
  let last: Changes | undefined;
  let closed = false;
  /** The end of the latest write; earlier ones have ended by then. */
  let latest: Promise<void> | undefined;

  const key = (kind: string, n: number): Key => [prefix, kind, n];
  const range = (kind: string, from: number, to: number) => IDBKeyRange.bound(key(kind, from), key(kind, to));

  for (const [[, kind, n], value] of found) {
    if (kind !== IDS) continue;
    remembered.push([n, (value as Ids).at]);
    (value as Ids).ids.forEach((id) => known.add(id));
  }

  /** The rows that the engine's changes and the noted ids come to. */
  function changeOf(changes: string | undefined): Change {
    const [checkpoint, gone = '[]', ...events] = changes?.split(BETWEEN) ?? [];
    const change: Change = {
      delete_: (JSON.parse(gone) as [number, number][]).map(([from, to]) => range(EVENT, from, to)),
      put_: events.map((event) => [key(EVENT, parseInt(event)), event]),
    };
    if (checkpoint) change.put_.push([key(CHECKPOINT, 0), checkpoint]);
    return change;
  }

  /** Remembers the noted ids, and forgets those that are too old. */
  function remember({ put_: put, delete_: gone }: Change): void {
    if (ids.length) {
      const n = (remembered.at(-1)?.[0] ?? 0) + 1;
      remembered.push([n, now()]);
      put.push([key(IDS, n), { at: now(), ids } satisfies Ids]);
    }
    while (remembered[0] && remembered[0][1] < now() - REMEMBERED_MS) {
      const [n] = remembered.shift()!;
      gone.push(range(IDS, n, n));
    }
  }

  /** Writes all of it in one transaction; `again`: over another connection, because the old one may be what fails. */
  async function attempt(all: Writing[], again?: boolean): Promise<void> {
    underWay++;
    try {
      if (again) database = await connect();
      await write(database!, all);
      if (again) error = undefined;
      all.forEach((one) => {
        one.written_ = true;
        one.saved_.splice(0).forEach((saved) => saved());
      });
      while (open[0]?.written_) open.shift();
    } catch (why) {
      error = String(why);
      failedAt = now();
      database!.close();
    }
    underWay--;
    if (last && !closed) save(last);
  }

  function save(changes: Changes, atOnce?: boolean): void {
    last = changes;
    if (!lasting || (underWay >= MAX_UNDER_WAY && !atOnce)) return;
    // The engine keeps what it has; there may be as much of it as its queue holds.
    if (error && (underWay || now() - failedAt < RETRY_MS)) return;
    const changed = changes();
    if (changed !== undefined || ids.length + waiting.length) {
      const change = changeOf(changed);
      remember(change);
      open.push({ ...change, saved_: waiting });
      [ids, waiting] = [[], []];
    } else if (!error) return;
    latest = attempt(error ? [...open] : open.slice(-1), !!error);
  }

  return {
    lasting_: lasting,
    found_: textOf(found),
    error_: () => error,
    knows_: (id) => known.has(id),
    note_(id, saved) {
      if (!lasting) return saved();
      if (id) ids.push(id);
      waiting.push(saved);
    },
    decided_() {
      [{ saved_: waiting }, ...open].forEach(({ saved_: saved }) => saved.splice(0).forEach((tell) => tell()));
    },
    save_: save,
    close_(changes) {
      if (changes) save(changes, true);
      closed = true;
      // What is under way is still written.
      database?.close();
      return Promise.resolve(latest);
    },
  };
}

/** The checkpoint, and the events, as the engine reads them. */
function textOf(found: Row[]): string {
  const of = (wanted: string) => found.filter(([[, kind]]) => kind === wanted).map(([, value]) => value as string);
  return [of(CHECKPOINT)[0] ?? '', ...of(EVENT)].join(BETWEEN);
}
