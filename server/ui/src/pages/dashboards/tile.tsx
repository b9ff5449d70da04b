import { useState } from 'preact/hooks';
import type { Place } from '../../answers/sheet';
import { AnswerTile } from '../../answers/tile';
import { Who } from '../../answers/who';
import { ask } from '../../api/ask';
import type { Lanes } from '../../api/lanes';
import { useAnswer } from '../../api/use';
import { addressOf, type SavedQuery, type Tile } from '../../keeping/keep';
import type { ChartMark } from '../../parts/chart';
import { Button, Refused } from '../../parts/form';
import { useCohortName } from '../../question/names';

/** How a tile is moved and changed. */
export interface Arrange {
  isFirst: boolean;
  isLast: boolean;
  move: (by: number) => void;
  change: (how: Partial<Tile>) => void;
  remove: () => void;
}

/** A saved question on a dashboard, asked when there is room for it. */
export function BoardTile(props: {
  tile: Tile;
  saved: SavedQuery | undefined;
  lanes: Lanes;
  marks: readonly ChartMark[];
  arrange: Arrange | undefined;
}) {
  const { tile, saved, lanes, marks, arrange } = props;
  const question = saved && JSON.stringify(saved.query);
  const asked = useAnswer(
    async (signal) => (saved ? lanes.run(signal, () => ask(saved.query, signal)) : undefined),
    [question],
  );
  const cohort = useCohortName(saved?.query);
  const [place, setPlace] = useState<Place>();
  return (
    <>
      <AnswerTile
        name={saved?.name ?? '…'}
        href={saved && addressOf(saved)}
        answer={asked.data}
        view={tile.view}
        wide={tile.wide}
        loading={asked.loading}
        opens={setPlace}
        marks={marks}
        cohort={cohort}
        actions={arrange && <Arranging tile={tile} arrange={arrange} name={saved?.name ?? ''} />}
      >
        <Refused refusal={asked.refusal} again={asked.again} />
      </AnswerTile>
      {place && asked.data && <Who question={asked.data.query} place={place} onClose={() => setPlace(undefined)} />}
    </>
  );
}

function Arranging({ tile, arrange, name }: { tile: Tile; arrange: Arrange; name: string }) {
  // A tile that is moved takes the focus with it; at the end of the way the other direction has it.
  const move = (by: number) => (event: MouseEvent) => {
    const button = event.currentTarget as HTMLButtonElement;
    arrange.move(by);
    requestAnimationFrame(() => {
      const other = by < 0 ? button.nextElementSibling : button.previousElementSibling;
      (button.disabled ? (other as HTMLElement | null) : button)?.focus();
    });
  };
  return (
    <>
      <Button disabled={arrange.isFirst} aria-label={`Move “${name}” to the left`} onClick={move(-1)}>
        ←
      </Button>
      <Button disabled={arrange.isLast} aria-label={`Move “${name}” to the right`} onClick={move(1)}>
        →
      </Button>
      <Button onClick={() => arrange.change({ wide: !tile.wide })}>{tile.wide ? 'Narrow' : 'Wide'}</Button>
      <Button onClick={() => arrange.change({ view: tile.view === 'table' ? 'chart' : 'table' })}>
        {tile.view === 'table' ? 'As a picture' : 'As a table'}
      </Button>
      <Button kind="danger" onClick={arrange.remove}>
        Remove
      </Button>
    </>
  );
}
