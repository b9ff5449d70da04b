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

/** What the engine's log is written to. */
export interface Disk extends Fails {
  list(): string[];
  read(file: string): Uint8Array | undefined;
  append(file: string, bytes: Uint8Array): string | undefined;
  remove(file: string): void;
}

/** Files in memory. */
export function disk(): Disk {
  const files = new Map<string, Uint8Array>();
  let failure: string | undefined;
  return {
    list: () => [...files.keys()].sort(),
    read: (file) => files.get(file),
    append: (file, bytes) => failure ?? void files.set(file, joined(files.get(file), bytes)),
    remove: (file) => void (failure === undefined && files.delete(file)),
    fail: (why) => (failure = why),
  };
}

function joined(before: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  const after = new Uint8Array((before?.length ?? 0) + bytes.length);
  after.set(before ?? []);
  after.set(bytes, before?.length);
  return after;
}

/** localStorage in memory. One that fails takes nothing, as a full one does. */
export function storage(): Fails & { values: Record<string, string> } {
  let failure: string | undefined;
  const handler: ProxyHandler<Record<string, string>> = {
    set: (values, key, value: string) => failure === undefined && Reflect.set(values, key, value),
  };
  return { values: new Proxy({}, handler), fail: (why) => (failure = why) };
}
