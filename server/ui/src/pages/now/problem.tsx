import type { Schema } from '../../api/types';
import { counted, full } from '../../format';
import { evidenceName, isSevere, pageOf } from './evidence';
import { pieces, since } from './words';

/** What is broken, since when, for how many, against what; all of it leads to the evidence. */
export function ProblemCard({ problem, now }: { problem: Schema<'FoundProblem'>; now: string }) {
  const { people, compared_with } = problem;
  return (
    <li class={`card problem ${isSevere(problem.kind) ? 'severe' : ''}`}>
      <div>
        <h2>
          <a href={pageOf(problem.evidence)}>
            <Sentence text={problem.what} />
          </a>
        </h2>
        <p class="muted facts">
          <time dateTime={problem.since} title={full(problem.since)}>
            {since(problem.since, now)}
          </time>
          {people != null && <strong>{counted(people, 'person', 'people')}</strong>}
          {compared_with && <span>{compared_with}</span>}
        </p>
      </div>
      <span class="go" aria-hidden="true">
        {evidenceName(problem.kind)} →
      </span>
    </li>
  );
}

/** A sentence of a detector. */
export function Sentence({ text }: { text: string }) {
  return <>{pieces(text).map(({ text, isName }) => (isName ? <code key={text}>{text}</code> : text))}</>;
}
