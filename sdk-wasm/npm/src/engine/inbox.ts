import type { Inside } from '../inside';
import type { Rows } from './rows';
import type { Work } from './work';

/** Records are kept in localStorage below this and their id. */
const PREFIX = 'q.';

/** How long records are taken at a stretch before the page has its thread again: 10 ms, a fifth of a long task. */
const STRETCH_MS = 10;

/** What to do with a record. */
export type Decision = [verb: 'forget' | 'refuse' | 'capture', text: string];

/** A record is numbered once, although localStorage may come back from the dead with what was taken out of it. */
export function decide(record: string, isKnown: boolean): Decision {
  if (isKnown) return ['forget', ''];
  return record[0] === '!' ? ['refuse', record.slice(1)] : ['capture', record];
}

/** Takes the records of all tabs into the engine. */
export interface Inbox {
  /** Takes a record of another tab, or of another time. */
  adopt_(id: string, record: string): void;
  /** Takes all that lie in localStorage; resolves when none is left. */
  empty_(): Promise<void>;
  /** Takes a record of this page, which does not go through localStorage. */
  take_(id: string, record: string): string | undefined;
  /** Puts into localStorage what is not yet safe elsewhere. */
  spill_(): void;
  /** The records in localStorage that nobody has numbered. */
  waiting_(): string[];
}

/** The inbox of an engine at work. */
export function inbox(client: Inside, rows: Rows, work: Work): Inbox {
  const store = client.store_;
  /** Records from localStorage that the engine has taken. */
  const taken = new Set<string>();
  /** Records of this page that are not yet safe. */
  const unsaved = new Map<string, string>();
  let spilled = false;

  const waiting = () => recorded(client).filter((id) => !taken.has(id));
  const remove = (id: string) => store.remove_(PREFIX + id);

  function give([verb, text]: Decision): string | undefined {
    return work.call_((engine, now) => (verb === 'refuse' ? engine.refuse(text, now) : engine.capture(text, now))) as string | undefined;
  }

  function adopt(id: string, record: string): void {
    if (taken.has(id)) return;
    const decision = decide(record, rows.knows_(id));
    if (decision[0] === 'forget') return remove(id);
    give(decision);
    if (work.over_()) return;
    taken.add(id);
    rows.note_(id, () => remove(id));
    work.touch_();
  }

  async function empty(): Promise<void> {
    let began = performance.now();
    for (let ids = waiting(); ids.length && !work.over_(); ids = waiting()) {
      for (const id of ids) {
        const record = store.get_(PREFIX + id);
        if (record !== null && !work.over_()) adopt(id, record);
        if (performance.now() - began < STRETCH_MS) continue;
        await new Promise((resolve) => setTimeout(resolve));
        began = performance.now();
      }
    }
  }

  function take(id: string, record: string): string | undefined {
    const refused = give(decide(record, false));
    if (work.over_()) {
      // The engine broke on this one, or on another in the same task: the plain sender finds it.
      store.set_(PREFIX + id, record);
      return undefined;
    }
    unsaved.set(id, record);
    rows.note_(id, () => {
      unsaved.delete(id);
      if (spilled) remove(id);
    });
    work.touch_();
    return refused;
  }

  function spill(): void {
    spilled = rows.lasting_;
    if (spilled) unsaved.forEach((record, id) => store.set_(PREFIX + id, record));
  }

  return { adopt_: adopt, empty_: empty, take_: take, spill_: spill, waiting_: waiting };
}

/** The ids of all records in localStorage. */
export function recorded(client: Inside): string[] {
  return client.store_.keys_(PREFIX).map((key) => key.slice(PREFIX.length));
}

/** The id of a record, if this is the key of one in localStorage. */
export function recordId(client: Inside, key: string | null): string | undefined {
  const prefix = client.prefix_ + PREFIX;
  return key?.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}
