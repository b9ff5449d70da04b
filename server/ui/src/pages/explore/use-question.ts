import { useEffect, useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { View } from '../../answers/answer';
import { topEvent, useEventNames } from '../../question/names';
import { fresh, type Ground, type Kind, type Question, turned } from '../../question/question';
import { fromSearch, toSearch } from '../../question/url';

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What the address says: the question, how its answer is shown, and which saved question it began with. */
export interface Asking {
  question: Question | null;
  /** The same as a text, which is equal where the question is. */
  search: string;
  view: View;
  saved: number | null;
  setQuestion: (question: Question) => void;
  setView: (view: View) => void;
  /** Goes to a question that is kept; in the place of this address, if it did but name it. */
  open: (question: Question, saved: number | null, instead?: boolean) => void;
  /** The address of the same question in another kind. */
  turnedTo: (kind: Kind) => string;
}

export function useQuestion(): Asking & ReturnType<typeof useNames> {
  const { url, route } = useLocation();
  const search = new URL(url, location.origin).searchParams;
  const written = search.toString();
  const question = useMemo(() => fromSearch(search), [written]);
  const view: View = search.get('view') === 'table' ? 'table' : 'chart';
  const saved = Number(search.get('saved')) || null;
  const { ground, ...names } = useNames();

  const address = (asked: Question, how: View, of: number | null) => {
    const params = new URLSearchParams(toSearch(asked));
    if (how === 'table') params.set('view', how);
    if (of !== null) params.set('saved', String(of));
    return `/explore?${params}`;
  };
  useEffect(() => {
    if (!question && saved === null && ground) route(address(fresh('trends', ground), view, null), true);
  }, [written, ground]);

  return {
    ...names,
    question,
    search: question ? toSearch(question) : '',
    view,
    saved,
    ground,
    setQuestion: (next) => route(address(next, view, saved)),
    setView: (next) => question && route(address(question, next, saved), true),
    open: (next, of, instead = false) => route(address(next, 'chart', of), instead),
    turnedTo: (kind) => {
      const from = ground ?? { event: null, timezone: here() };
      return address(question ? turned(question, kind, from) : fresh(kind, from), view, null);
    },
  };
}

/** What a question begins with. Without the names, with any event. */
function useNames(): { ground: Ground | null; isEmpty: boolean } {
  const names = useEventNames();
  return useMemo(() => {
    const timezone = here();
    if (names.data) return { ground: { event: topEvent(names.data), timezone }, isEmpty: names.data.length === 0 };
    return { ground: names.refusal ? { event: null, timezone } : null, isEmpty: false };
  }, [names.data, names.refusal]);
}
