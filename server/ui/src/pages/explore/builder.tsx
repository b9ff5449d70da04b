import type { Question, QuestionOf } from '../../question/question';
import { BuildLifecycle, BuildSessions, BuildStickiness } from './build-activity';
import { BuildFunnel } from './build-funnel';
import { BuildPaths } from './build-paths';
import { BuildRetention } from './build-retention';
import { BuildTrends } from './build-trends';

/** What a builder has: the question, and how to change some of it. */
export interface Build<Q extends Question> {
  question: Q;
  set: (change: Partial<Q>) => void;
}

/** Where the question is made. */
export function Builder({ question, onQuestion }: { question: Question; onQuestion: (question: Question) => void }) {
  const set = (change: object) => onQuestion({ ...question, ...change } as Question);
  const of = <K extends Question['kind']>(asked: QuestionOf<K>) => ({ question: asked, set });
  switch (question.kind) {
    case 'trends':
      return <BuildTrends {...of<'trends'>(question)} />;
    case 'funnel':
      return <BuildFunnel {...of<'funnel'>(question)} />;
    case 'retention':
      return <BuildRetention {...of<'retention'>(question)} />;
    case 'paths':
      return <BuildPaths {...of<'paths'>(question)} />;
    case 'lifecycle':
      return <BuildLifecycle {...of<'lifecycle'>(question)} />;
    case 'stickiness':
      return <BuildStickiness {...of<'stickiness'>(question)} />;
    case 'sessions':
      return <BuildSessions {...of<'sessions'>(question)} />;
    case 'cohort':
      return <p class="muted">How many people a description fits. Cohorts are made on the page of cohorts.</p>;
  }
}
