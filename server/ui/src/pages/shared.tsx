import '../styles/board.css';
import { useEffect, useMemo } from 'preact/hooks';
import { AnswerTile } from '../answers/tile';
import { answer, GET } from '../api/client';
import { useAnswer } from '../api/use';
import { full } from '../format';
import { Refused } from '../parts/form';
import { Bare } from '../shell/bare';

/** What a link shows to whoever has it: answers, and nothing else. The token is behind the `#`, which no server sees. */
export default function Shared() {
  const token = location.hash.slice(1);
  const board = useAnswer(
    (signal) => answer(GET('/api/v1/shared', { headers: { Authorization: `Bearer ${token}` }, signal })),
    [token],
  );
  const shown = board.data;
  const marks = useMemo(() => shown?.annotations.map(({ at, text }) => ({ at, text })) ?? [], [shown]);
  useEffect(() => {
    if (shown) document.title = `${shown.name} · ${shown.project}`;
  }, [shown]);
  if (token === '' || board.refusal?.status === 401) {
    return (
      <Bare title="This link shows nothing any more">
        <p>It has ended, or part of it got lost on the way. Ask who sent it for another.</p>
      </Bare>
    );
  }
  if (!shown) {
    return (
      <Bare title={board.refusal ? 'It cannot be shown now' : 'Asking …'}>
        <Refused refusal={board.refusal} again={board.again} />
      </Bare>
    );
  }
  return (
    <main class="shared">
      <header class="shared-head">
        <h1>{shown.name}</h1>
        <p class="muted">
          {shown.project} · asked <time dateTime={shown.at}>{full(shown.at)}</time>
        </p>
      </header>
      {shown.tiles.length === 0 && <p class="muted">There is nothing on it.</p>}
      <div class="board">
        {shown.tiles.map((tile, at) => (
          <AnswerTile
            key={at}
            name={tile.name === shown.name ? '' : tile.name}
            answer={tile.answer ?? undefined}
            view={tile.view}
            wide={tile.wide || shown.tiles.length === 1}
            marks={marks}
          >
            {tile.refused && <p class="refused">{tile.refused}</p>}
          </AnswerTile>
        ))}
      </div>
      <footer class="bare-brand">
        <img src="/mark.svg" alt="" width="20" height="20" /> Trailmark
      </footer>
    </main>
  );
}
