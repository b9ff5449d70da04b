import '../../styles/explore.css';
import '../../styles/keeping.css';
import { useMemo, useState } from 'preact/hooks';
import { About, Answer } from '../../answers/answer';
import type { Place } from '../../answers/sheet';
import { saveSheet } from '../../answers/sheet-table';
import { Who } from '../../answers/who';
import type { Answered } from '../../answers/words';
import { ask } from '../../api/ask';
import { useAnswer } from '../../api/use';
import { useNotes } from '../../keeping/notes';
import { NotesDialog } from '../../keeping/notes-dialog';
import { Button, Refused } from '../../parts/form';
import { Loading } from '../../parts/loading';
import { Empty, Page, Tabs } from '../../parts/page';
import { useCohortName } from '../../question/names';
import { KINDS, type Question } from '../../question/question';
import { RANGES } from '../../question/range';
import { questionSaid } from '../../question/words';
import { useKeys } from '../../shell/keys';
import { Builder } from './builder';
import { Keeping } from './keeping';
import { type Asking, useQuestion } from './use-question';
import { Mistakes, mistakeOf } from './wrong';

/** Questions about what people do: a builder, and the answer beside it. The question is in the address. */
export default function Explore() {
  const asking = useQuestion();
  const { question, kept } = asking;
  if (asking.isEmpty) {
    return (
      <Page title="Explore">
        <Empty title="No events yet">
          There is nothing to ask about. <a href="/start">Send the first event.</a>
        </Empty>
      </Page>
    );
  }
  return (
    <Page title={kept?.name ?? 'Explore'} actions={question && <Keeping asking={asking} question={question} />}>
      <Tabs
        label="Kinds of questions"
        current={question ? asking.turnedTo(question.kind) : ''}
        tabs={KINDS.map(([kind, name]) => ({ href: asking.turnedTo(kind), name }))}
      />
      {question && <Asked asking={asking} question={question} />}
    </Page>
  );
}

function Asked({ asking, question }: { asking: Asking; question: Question }) {
  const { view, setQuestion, setView } = asking;
  const asked = useAnswer((signal) => ask(question, signal), [asking.search]);
  const [who, setWho] = useState<{ question: Answered['query']; place: Place }>();
  const [noting, setNoting] = useState(false);
  const notes = useNotes();
  const cohort = useCohortName(question);
  const mistake = mistakeOf(asked.refusal);
  useQuestionKeys(asking, question);
  const found = asked.data;
  return (
    <div class="explore">
      <details class="card ask" open={mistake !== null || matchMedia('(min-width: 1000px)').matches}>
        <summary>{questionSaid(question, cohort)}</summary>
        <Mistakes.Provider value={mistake}>
          <Builder key={question.kind} question={question} onQuestion={setQuestion} />
        </Mistakes.Provider>
      </details>
      <section class={asked.loading ? 'card found waiting' : 'card found'} aria-busy={asked.loading}>
        <header class="card-head">
          <h2>{KINDS.find(([kind]) => kind === question.kind)?.[2] ?? 'How many?'}</h2>
          <div class="row">
            <Button kind="quiet" onClick={() => setView(view === 'table' ? 'chart' : 'table')}>
              {view === 'table' ? 'Picture' : 'Table'}
            </Button>
            <Button kind="quiet" disabled={!found} onClick={() => found && saveSheet(found, question.kind)}>
              CSV
            </Button>
            <Button kind="quiet" onClick={() => setNoting(true)}>
              Notes
            </Button>
          </div>
        </header>
        {mistake ? (
          <p class="ask-wrong">
            This cannot be asked; the question says why. {found && 'Below is still the answer to the one before.'}
          </p>
        ) : (
          <Refused refusal={asked.refusal} again={asked.again} />
        )}
        {found && (
          <>
            <Answer
              answer={found}
              view={view}
              marks={notes.marks}
              opens={(place) => setWho({ question: found.query, place })}
            />
            <About answer={found} />
          </>
        )}
        <Loading when={!found && asked.loading} />
      </section>
      {who && <Who question={who.question} place={who.place} onClose={() => setWho(undefined)} />}
      {noting && <NotesDialog notes={notes.data ?? []} onChanged={notes.again} onClose={() => setNoting(false)} />}
    </div>
  );
}

/** Stretches of time by keys, and how the answer is shown. */
function useQuestionKeys(asking: Asking, question: Question) {
  const { setQuestion, setView, view } = asking;
  useKeys(
    useMemo(() => {
      const stretches = RANGES.map((range) => ({
        keys: range.key,
        does: range.name,
        run: () => {
          if (!('date_from' in question) || question.kind === 'retention') return;
          const interval = 'interval' in question ? { interval: range.interval } : {};
          setQuestion({ ...question, date_from: range.from, date_to: null, ...interval });
        },
      }));
      const compare = () =>
        question.kind === 'trends' && setQuestion({ ...question, compare: question.compare ? null : 'previous' });
      return [
        ...stretches,
        { keys: 'x', does: 'Compare with the stretch before', run: compare },
        { keys: 'v', does: 'Picture or table', run: () => setView(view === 'table' ? 'chart' : 'table') },
      ];
    }, [asking.search, view]),
  );
}
