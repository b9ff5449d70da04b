import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from './client';

/** How an answer stands. The last one stays while the next is on its way, so that nothing jumps. */
export interface Asked<T> {
  data: T | undefined;
  refusal: Refusal | undefined;
  loading: boolean;
  again: () => void;
}

/** Asks when the page is shown and whenever `given` changes; what was asked before is given up. */
export function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, given: readonly unknown[]): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, 'again'>>({ data: undefined, refusal: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    ask(stop.signal).then(
      (data) => !stop.signal.aborted && setState({ data, refusal: undefined, loading: false }),
      (thrown) =>
        !stop.signal.aborted && setState((before) => ({ ...before, refusal: asRefusal(thrown), loading: false })),
    );
    return () => stop.abort();
  }, [...given, turn]);
  const again = useCallback(() => setTurn((turn) => turn + 1), []);
  return { ...state, again };
}

/** Something that changes: whether it is under way, and what stood in its way last. */
export function useAction<Given extends unknown[]>(
  act: (...given: Given) => Promise<unknown>,
): { run: (...given: Given) => Promise<boolean>; busy: boolean; refusal: Refusal | undefined } {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const latest = useRef(act);
  latest.current = act;
  const run = useCallback(async (...given: Given) => {
    setBusy(true);
    setRefusal(undefined);
    try {
      await latest.current(...given);
      return true;
    } catch (thrown) {
      setRefusal(asRefusal(thrown));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { run, busy, refusal };
}

/** A list that comes page by page. */
export function usePages<T>(
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<{ rows: T[]; next: string | null | undefined }>,
  given: readonly unknown[],
): { rows: T[]; more: (() => void) | undefined; loading: boolean; refusal: Refusal | undefined; again: () => void } {
  const first = useAnswer((signal) => ask(undefined, signal), given);
  const [later, setLater] = useState<{ of: unknown; rows: T[]; next: string | null | undefined }>();
  const rest = later?.of === first.data ? later : undefined;
  const next = rest ? rest.next : first.data?.next;
  const load = useAction(async () => {
    const page = await ask(next ?? undefined, new AbortController().signal);
    setLater({ of: first.data, rows: [...(rest?.rows ?? []), ...page.rows], next: page.next });
  });
  return {
    rows: [...(first.data?.rows ?? []), ...(rest?.rows ?? [])],
    more: next ? () => void load.run() : undefined,
    loading: first.loading || load.busy,
    refusal: first.refusal ?? load.refusal,
    again: first.again,
  };
}
