/** Reading a receipt, as `sdk-core/src/verdict.rs`. */

/** What became of an event: 0: it is on the server's stable storage; 1: it is to be sent again; else why it is lost. */
export type Fate = 0 | 1 | string;

type Result = { index: number; id?: string; result: string; reason: string };

/** The fates of the events with these ids, if the receipt accounts for each of them, once. */
export function fates({ accepted, results }: { accepted: number; results: Result[] }, ids: string[]): Fate[] | undefined {
  const fates: Fate[] = ids.map(() => 0);
  for (const { id, index, result, reason } of results) {
    if (result == 'ok' || result == 'accepted') continue;
    const at = id ? ids.indexOf(id) : index;
    if (fates[at] !== 0) return;
    fates[at] = result == 'retry' ? 1 : reason;
    accepted++;
  }
  return accepted == ids.length ? fates : undefined;
}
