/** A question in a sentence. Pure. */
import { saidOf } from './filter';
import type { Question, Series } from './question';
import { rangeSaid } from './range';

const MATHS: Record<Exclude<Series['math'], 'total'>, string> = {
  unique_persons: 'people who did',
  sessions: 'sessions with',
  sum: 'sum',
  avg: 'mean',
  min: 'least',
  max: 'greatest',
  p50: 'median',
  p90: '90th percentile',
  p95: '95th percentile',
  p99: '99th percentile',
};

const named = (one: { event?: string | null; name?: string | null }) => one.name ?? one.event ?? 'any event';

function seriesSaid(one: Series): string {
  if (one.math === 'total') return `how often ${named(one)} happens`;
  const property = one.math_property ? ` of ${one.math_property} in` : '';
  return `${MATHS[one.math]}${property} ${named(one)}`;
}

/** `People who did checkout, by day, last 30 days`. */
export function questionSaid(question: Question, cohort = (id: number) => `number ${id}`): string {
  const said = [whatSaid(question)];
  if ('breakdown' in question && question.breakdown?.length) {
    said.push(`for each ${question.breakdown.map((one) => one.property).join(' and ')}`);
  }
  if ('interval' in question) said.push(`by ${question.interval}`);
  if ('filters' in question && question.filters) said.push(`where ${saidOf(question.filters, cohort)}`);
  if (question.kind === 'retention') said.push(`over ${question.intervals} ${question.period}s`);
  else if ('date_from' in question) said.push(lower(rangeSaid(question.date_from, question.date_to)));
  const text = said.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `Last 30 days` within a sentence; a month stays as it is. */
const lower = (text: string) => text.replace(/^(Last|Since|Today|The)/, (word) => word.toLowerCase());

function whatSaid(question: Question): string {
  switch (question.kind) {
    case 'trends':
      return question.formula ? `formula ${question.formula}` : question.series.map(seriesSaid).join(' and ');
    case 'funnel':
      return `from ${question.steps.map(named).join(' to ')}`;
    case 'retention':
      return `who begins with ${named(question.start_event)} and comes back with ${named(question.return_event)}`;
    case 'paths':
      return `paths${question.start ? ` from ${question.start}` : ''}${question.end ? ` to ${question.end}` : ''}`;
    case 'lifecycle':
      return `lifecycle of those with ${named(question.event)}`;
    case 'stickiness':
      return `how often people do ${question.series.map(named).join(', ')}`;
    case 'sessions':
      return 'sessions';
    case 'cohort':
      return 'how many people a cohort has';
  }
}
