import { useMemo } from 'preact/hooks';
import { answer, GET } from '../api/client';
import { useAnswer } from '../api/use';
import type { ChartMark } from '../parts/chart';

const NONE: ChartMark[] = [];

/** The newest notes of the project: all that somebody might look for in an answer. */
export function useNotes() {
  const notes = useAnswer(async (signal) => (await answer(GET('/api/v1/annotations', { signal }))).annotations, []);
  const marks = useMemo(
    () => (notes.data?.length ? notes.data.map(({ at, text }) => ({ at, text })) : NONE),
    [notes.data],
  );
  return { ...notes, marks };
}
