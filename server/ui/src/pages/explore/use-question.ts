import { useEffect, useMemo, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { View } from '../../answers/answer';
import { answer, GET } from '../../api/client';
import { useAnswer } from '../../api/use';
import { questionOf, type SavedQuery } from '../../keeping/keep';
import { topEvent, useEventNames } from '../../question/names';
import { fresh, type Ground, type Kind, type Question, turned } from '../../question/question';
import { fromSearch, toSearch } from '../../question/url';
import { toast } from '../../shell/toasts';

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What the address says: the question, how its answer is shown, and which saved question it began with. */
export interface Asking {
  question: Question | null;
  /** The same as a text, which is equal where the question is. */
  search: string;
  view: View;
  saved: number | null;
  /** The saved question, when it is there. */
  kept: SavedQuery | undefined;
  /** What was saved just now is known before it is asked for. */
  setKept: (kept: SavedQuery) => void;
  setQuestion: (question: Question) => void;
  setView: (view: View) => void;
  /** Goes to a question that is kept. */
  open: (question: Question, saved: number | null) => void;
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
  const [latest, setKept] = useState<SavedQuery>();
  const asked = useAnswer(
    async (signal) =>
      saved === null
        ? undefined
        : answer(GET('/api/v1/saved_queries/{id}', { params: { path: { id: saved } }, signal })),
    [saved],
  );
  const kept = [latest, asked.data].find((one) => one?.id === saved);

  // An address without a question: that of a saved one, or of nothing in particular.
  useEffect(() => {
    // This page stays until the next one is there, but the address is that one's already.
    if (question || location.pathname !== '/explore') return;
    const of = kept && questionOf(kept.query);
    if (of) route(address(of, view, saved), true);
    else if ((saved === null || asked.refusal) && ground) {
      if (asked.refusal)
        toast(asked.refusal.status === 404 ? 'That question is no longer saved.' : asked.refusal.detail);
      route(address(fresh('trends', ground), view, null), true);
    }
  }, [written, ground, kept, asked.refusal]);

  return {
    ...names,
    question,
    search: question ? toSearch(question) : '',
    view,
    saved,
    kept,
    setKept,
    ground,
    setQuestion: (next) => route(address(next, view, saved)),
    setView: (next) => question && route(address(question, next, saved), true),
    open: (next, of) => route(address(next, 'chart', of)),
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
