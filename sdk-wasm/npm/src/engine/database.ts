/**
 * The browser's database for engines: one store, in which a key is the client's prefix, a kind, and a number. It is the
 * raw API: a wrapper would cost as much as this whole directory.
 */
const NAME = 'trailmark';
const STORE = 'log';

/** A browser whose database does not answer has none: 10 s. Some have waited for ever. */
const TIMEOUT_MS = 10_000;

/** A row's key: the client's prefix, what it is, and its number. */
export type Key = [prefix: string, kind: string, n: number];

/** A row. */
export type Row = [Key, unknown];

/** What one transaction changes: first it deletes, then it puts. */
export interface Change {
  delete_: IDBKeyRange[];
  put_: Row[];
}

/** Rejects where the browser refuses a database, or where it does not answer. */
export function connect(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('IndexedDB does not answer')), TIMEOUT_MS);
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      // Who deletes the database must not wait for this page.
      database.onversionchange = () => database.close();
      resolve(database);
    };
  });
}

/** All rows of a client in the order of their keys. Transactions of other tabs that were begun earlier have ended by then. */
export async function read(database: IDBDatabase, prefix: string): Promise<Row[]> {
  const store = database.transaction(STORE).objectStore(STORE);
  const all = IDBKeyRange.bound([prefix], [prefix, []]);
  const [keys, values] = await Promise.all([ask(store.getAllKeys(all)), ask(store.getAll(all))]);
  return keys.map((key, at) => [key as Key, values[at]]);
}

/**
 * Changes rows, all or none. Resolves once it is written: not synced to the disk (that would cost as much again and only
 * matters when the power fails), but safe from the end of the browser. Everything that needs this thread happens before
 * this returns, so that not even the death of the page's process in the next task calls it back.
 */
export function write(database: IDBDatabase, changes: Change[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, 'readwrite', { durability: 'relaxed' });
    const store = transaction.objectStore(STORE);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    for (const change of changes) {
      for (const range of change.delete_) store.delete(range);
      for (const [key, value] of change.put_) store.put(value, key);
    }
    transaction.commit?.();
  });
}

function ask<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
