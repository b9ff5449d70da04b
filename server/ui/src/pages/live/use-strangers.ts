import { useEffect } from 'preact/hooks';
import { answer, GET, type Refusal } from '../../api/client';
import type { paths } from '../../api/schema';
import { useAnswer } from '../../api/use';

type Answer = paths['/api/v1/strangers']['get']['responses'][200]['content']['application/json'];

/** A request that brought events, and a project could not be told from it. */
export type Stranger = Answer['requests'][number];

/** Asked again every 5 s: somebody waits for the first event and looks. */
const EVERY_MS = 5000;

/** Requests that belong to no project. Only for who may change projects; others see none. */
export function useStrangers(allowed: boolean): { strangers: readonly Stranger[]; refusal: Refusal | undefined } {
  const asked = useAnswer<readonly Stranger[]>(
    async (signal) => (allowed ? (await answer(GET('/api/v1/strangers', { signal }))).requests : []),
    [allowed],
  );
  // A server that does not tell of them is not asked again.
  const goesOn = allowed && asked.refusal?.status !== 404;
  useEffect(() => {
    if (!goesOn) return;
    const timer = setInterval(asked.again, EVERY_MS);
    return () => clearInterval(timer);
  }, [goesOn]);
  return { strangers: asked.data ?? [], refusal: asked.refusal?.status === 404 ? undefined : asked.refusal };
}
