import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ChartMark } from '../parts/chart';
import { Button } from '../parts/form';
import { Loading } from '../parts/loading';
import { questionSaid } from '../question/words';
import { About, Answer, type View } from './answer';
import type { Opens } from './people';
import { saveSheet } from './sheet-table';
import type { Answered } from './words';

/** An answer on a board: its name (or, where that is said already, what it asks), and a picture or a table. `children` stand in for an answer that is not there. */
export function AnswerTile(props: {
  name: string;
  href?: string | undefined;
  answer: Answered | undefined;
  view: View;
  wide: boolean;
  loading?: boolean;
  opens?: Opens;
  marks?: readonly ChartMark[];
  /** How cohorts are called. */
  cohort?: (id: number) => string;
  /** What can be done with the tile. */
  actions?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const { name, href, answer, loading = false } = props;
  const [chosen, setChosen] = useState<View>();
  const said = answer ? questionSaid(answer.query as never, props.cohort) : '';
  const view = chosen ?? props.view;
  return (
    <section
      class={`card tile ${props.wide ? 'wide' : ''} ${loading ? 'waiting' : ''}`}
      aria-busy={loading}
      aria-label={name || said}
    >
      <header class="tile-head">
        <div>
          <h2>{href ? <a href={href}>{name}</a> : name || said}</h2>
          {name !== '' && <p class="muted">{said}</p>}
        </div>
        {answer && (
          <div class="row">
            <Button kind="quiet" onClick={() => setChosen(view === 'table' ? 'chart' : 'table')}>
              {view === 'table' ? 'Picture' : 'Table'}
            </Button>
            <Button kind="quiet" onClick={() => saveSheet(answer, name || answer.kind)}>
              CSV
            </Button>
          </div>
        )}
      </header>
      {props.actions && <div class="tile-actions">{props.actions}</div>}
      {props.children}
      {answer && (
        <>
          <Answer answer={answer} view={view} opens={props.opens} {...(props.marks && { marks: props.marks })} />
          <About answer={answer} />
        </>
      )}
      <Loading when={!answer && loading} />
    </section>
  );
}
