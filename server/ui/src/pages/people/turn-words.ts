import { counted } from '../../format';
import type { Turn } from './grouping';

const earlier = ({ joined, orMore }: Turn) =>
  `${orMore ? 'at least ' : ''}${counted(joined, 'earlier event', 'earlier events')} joined`;

/** The two users that an alias names, by its event. */
export type Pairs = ReadonlyMap<string, readonly [string, string]>;

/** What it means that an id came or went. Ids stand apart from the words around them: they are anybody's text. */
export function ofTurn(turn: Turn, pairs: Pairs): { title: (string | { id: string })[]; more: string } {
  const id = { id: turn.change.id };
  const { change, kind } = turn.change;
  if (!turn.came && change === 'move') {
    return {
      title: [id, ' went to another person'],
      more: 'It had signed in as that one before, which was learned late.',
    };
  }
  if (!turn.came) return { title: [id, ' became a person of its own again'], more: 'An alias was taken back.' };
  if (change === 'split') return { title: [id, ' became a person of its own'], more: 'An alias was taken back.' };
  if (kind !== 'anonymous') {
    const [one, other] = pairs.get(turn.change.event_id) ?? [];
    const title = one && other ? [{ id: one }, ' and ', { id: other }] : [id, ' and another user'];
    return { title: [...title, ' became one person'], more: 'An alias said so: what both did is one story.' };
  }
  const title = turn.as === null ? [id, ' became this person'] : [id, ' signed in as ', { id: turn.as }];
  if (turn.joined > 0) return { title, more: `It was anonymous until then: ${earlier(turn)}.` };
  return {
    title,
    more: turn.orMore ? 'What it did before joined.' : 'It had done nothing before.',
  };
}
