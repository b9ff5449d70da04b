/** What a device has around it: randomness that counts, and storages in memory that outlive a restart. */

/** So many bytes: 0, 1, 2, … 255, 0, …, each one more than the one before, over restarts, too. */
export type Random = (bytes: number) => Uint8Array;

/** See {@link Random}. */
export function counting(): Random {
  let next = 0;
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ & 255);
}

/** What is written to can be made to fail, with a text that says why; without one it works again. */
export interface Fails {
  fail(why: string | undefined): void;
}

/** The engine's rows. */
export interface Table extends Fails {
  /** All of it, as the engine reads it. */
  text(): string;
  /** Makes the changes, and those that it could not make before. Returns what went wrong. */
  write(changes: string | undefined): string | undefined;
}

/** What is between the texts that the engine hands over. */
const BETWEEN = '\u001e';

/** Rows in memory. */
export function table(): Table {
  let checkpoint = '';
  const rows = new Map<number, string>();
  const unwritten: string[] = [];
  let failure: string | undefined;
  const make = (changes: string) => {
    const [first = '', gone = '', ...events] = changes.split(BETWEEN);
    checkpoint = first;
    for (const [from, to] of JSON.parse(gone) as [number, number][]) {
      for (let seq = from; seq <= to; seq++) rows.delete(seq);
    }
    events.forEach((event) => rows.set(parseInt(event), event));
  };
  return {
    text: () => [checkpoint, ...rows.values()].join(BETWEEN),
    write(changes) {
      if (changes !== undefined) unwritten.push(changes);
      if (failure === undefined) unwritten.splice(0).forEach(make);
      return failure;
    },
    fail: (why) => (failure = why),
  };
}

/** localStorage in memory. One that fails takes nothing, as a full one does. */
export function storage(): Fails & { values: Record<string, string> } {
  let failure: string | undefined;
  const handler: ProxyHandler<Record<string, string>> = {
    set: (values, key, value: string) => failure === undefined && Reflect.set(values, key, value),
  };
  return { values: new Proxy({}, handler), fail: (why) => (failure = why) };
}
