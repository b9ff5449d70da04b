import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Refusal } from '../../api/client';

/** What the server found wrong with the question, and where. */
export interface Mistake {
  path: string;
  said: string;
}

/** The path that a refusal names: "`series[0].math_property` is missing". */
export function mistakeOf(refusal: Refusal | undefined): Mistake | null {
  const path = refusal?.code === 'invalid_parameter' && /^`([^`]+)`/.exec(refusal.detail)?.[1];
  return refusal && path ? { path, said: refusal.detail } : null;
}

/** Whether a mistake is at this place or below it. */
export const isAt = (path: string, place: string) =>
  path === place || (path.startsWith(place) && /^[.[]/.test(path.slice(place.length)));

export const Mistakes = createContext<Mistake | null>(null);

/** What is wrong here, if anything is. */
export function Wrong({ at }: { at: readonly string[] }) {
  const mistake = useContext(Mistakes);
  if (!mistake || !at.some((place) => isAt(mistake.path, place))) return null;
  return (
    <p class="ask-wrong" role="alert">
      {mistake.said}
    </p>
  );
}
