import type { Host } from 'trailmark-wasm';

import { connect, fileRange, rows, write, type Change, type Key } from './database';

/** How long the ids of taken records are remembered: 1 h. What Chromium had not yet written of localStorage when it was
 * killed is seconds old when busy pages are left, and minutes in the worst case. */
const REMEMBERED_MS = 60 * 60 * 1000;

/** Most transactions under way: 4. Beyond it writes are put together, so that a page in a hurry costs no more than that. */
const MAX_UNDER_WAY = 4;

/** The rows with ids are those of the file without a name. */
const IDS = '';

/** The engine's files: in memory, and behind it in IndexedDB. */
export interface Files extends Host {
  /** Whether they survive the page. */
  lasting_: boolean;
  /** Why the latest write failed. */
  error_(): string | undefined;
  /** Whether a record with this id was taken in the last hour, also by another page. */
  knows_(id: string): boolean;
  /** The record with this id (or something without one) is in what was appended; `saved` is called when that is safe. */
  note_(id: string, saved: () => void): void;
  /** What was noted is decided: nobody waits any more for a disk that fails. */
  decided_(): void;
  /** Writes what was changed: at the end of each task; `now`, without waiting for earlier writes: when the page ends. */
  save_(now?: boolean): void;
  /** Writes what is left; resolves when that is over, well or not. Nothing is touched afterwards. */
  close_(): Promise<unknown>;
}

/** What one transaction will change, and who waits for it. */
interface Batch {
  appended_: Map<string, Uint8Array[]>;
  removed_: Set<string>;
  ids_: string[];
  saved_: (() => void)[];
}

/** A change that is to be written, and who waits for it. */
type Writing = Change & { saved_: (() => void)[] };

interface Ids {
  at: number;
  ids: string[];
}

const newBatch = (): Batch => ({ appended_: new Map(), removed_: new Set(), ids_: [], saved_: [] });

/** Files in memory alone: where nothing may be stored. */
export function memoryFiles(): Files {
  return files('', () => 0, [], undefined);
}

/** The client's files. Rejects where the browser has no database for them. */
export async function openFiles(prefix: string, now: () => number): Promise<Files> {
  const database = await connect();
  return files(prefix, now, await rows(database, prefix), database);
}

function files(prefix: string, now: () => number, found: [Key, unknown][], database: IDBDatabase | undefined): Files {
  const lasting = !!database;
  /** The content of files, in pieces. */
  const mirror = new Map<string, Uint8Array[]>();
  const known = new Set<string>();
  /** When the rows with ids were written. */
  const remembered: [n: number, at: number][] = [];
  /** The number of the next row; each is greater than all before. */
  let next = 1;
  let batch = newBatch();
  let underWay = 0;
  let error: string | undefined;
  /** What failed, in order. */
  let failed: Writing[] = [];
  /** The engine was told of the failure and keeps events in memory, until an append succeeds; their ids wait as long. */
  let behind = false;
  const late: [id: string, saved: () => void][] = [];
  let closed = false;
  /** The end of the latest write; earlier ones have ended by then. */
  let latest: Promise<void> | undefined;

  for (const [[, file, n], value] of found) {
    next = Math.max(next, n + 1);
    if (file === IDS) {
      remembered.push([n, (value as Ids).at]);
      (value as Ids).ids.forEach((id) => known.add(id));
    } else piecesOf(mirror, file).push(value as Uint8Array);
  }

  /** The rows that a batch comes to. */
  function writing({ appended_, removed_, ids_, saved_ }: Batch): Writing {
    const put: Change['put_'] = [...appended_].map(([file, pieces]) => [[prefix, file, next++], joined(pieces)]);
    const gone = [...removed_].map((file) => fileRange(prefix, file));
    if (ids_.length) {
      remembered.push([next, now()]);
      put.push([[prefix, IDS, next++], { at: now(), ids: ids_ } satisfies Ids]);
    }
    while (remembered[0] && remembered[0][1] < now() - REMEMBERED_MS) {
      gone.push(IDBKeyRange.only([prefix, IDS, remembered.shift()![0]]));
    }
    return { put_: put, delete_: gone, saved_ };
  }

  /** Writes all of it in one transaction. What fails is kept, and tried again when the engine tries again. */
  async function attempt(all: Writing[], again?: boolean): Promise<void> {
    underWay++;
    try {
      if (again) database = await connect();
      await write(database!, all);
      if (again) error = undefined;
      all.forEach((one) => one.saved_.forEach((saved) => saved()));
    } catch (why) {
      error = String(why);
      failed = again ? all.concat(failed) : failed.concat(all);
      database!.close();
    }
    underWay--;
    save(closed);
  }

  /** Another connection: the old one may be what fails. */
  function tryAgain(): void {
    if (underWay) return;
    const all = failed;
    failed = [];
    latest = attempt(all, true);
  }

  function save(atOnce?: boolean): void {
    if (!lasting || (!atOnce && underWay >= MAX_UNDER_WAY)) return;
    if (batch.appended_.size + batch.removed_.size + batch.ids_.length === 0) return;
    const one = writing(batch);
    batch = newBatch();
    if (error) failed.push(one);
    else latest = attempt([one]);
  }

  function note(id: string, saved: () => void): void {
    if (!lasting) return saved();
    if (behind) return void late.push([id, saved]);
    if (id) batch.ids_.push(id);
    batch.saved_.push(saved);
  }

  return {
    lasting_: lasting,
    random: (bytes) => void crypto.getRandomValues(bytes),
    list: () => [...mirror.keys()],
    read: (file) => mirror.has(file) ? joined(mirror.get(file)!) : undefined,
    append(file, bytes) {
      if (error) {
        behind = true;
        if (!closed) tryAgain();
        return error;
      }
      behind = false;
      late.splice(0).forEach(([id, saved]) => note(id, saved));
      const copy = bytes.slice();
      piecesOf(mirror, file).push(copy);
      piecesOf(batch.appended_, file).push(copy);
      return undefined;
    },
    remove(file) {
      mirror.delete(file);
      batch.appended_.delete(file);
      batch.removed_.add(file);
    },
    error_: () => error,
    knows_: (id) => known.has(id),
    note_: note,
    decided_() {
      late.splice(0).forEach(([, saved]) => saved());
      failed.forEach((one) => one.saved_.splice(0).forEach((saved) => saved()));
    },
    save_: save,
    close_() {
      save(true);
      closed = true;
      // What is under way is still written.
      database?.close();
      return Promise.resolve(latest);
    },
  };
}

function piecesOf(all: Map<string, Uint8Array[]>, file: string): Uint8Array[] {
  const pieces = all.get(file) ?? [];
  all.set(file, pieces);
  return pieces;
}

function joined(pieces: Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
  return whole;
}
