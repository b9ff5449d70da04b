/** What makes a cohort, as the form has it. Pure. */
import type { Schema } from '../../api/types';
import { saidOf } from '../../question/filter';
import type { Filter } from '../../question/question';

export type Definition = Schema<'Definition'>;
export type Criterion = Schema<'Criterion'>;
export type Frequency = 'at_least' | 'exactly' | 'at_most';

/** One thing that is to be so, with every field of the form. */
export type Draft =
  | {
      what: 'performed' | 'not_performed';
      event: string | null;
      filters: Filter | null;
      frequency: Frequency;
      times: number;
      /** The last so many days; ever, if there is none. */
      days: number | null;
    }
  | { what: 'person'; filter: Filter | null }
  | { what: 'in_cohort'; cohort: number | null };

export const begun = (what: Draft['what']): Draft => {
  switch (what) {
    case 'person':
      return { what, filter: null };
    case 'in_cohort':
      return { what, cohort: null };
    default:
      return { what, event: null, filters: null, frequency: 'at_least', times: 1, days: 30 };
  }
};

/** The definition; none as long as something is to be filled in. */
export function definitionOf(all: boolean, drafts: readonly Draft[], timezone: string): Definition | null {
  const criteria = drafts.map((draft) => criterionOf(draft, timezone));
  if (criteria.length === 0 || criteria.includes(null)) return null;
  const whole = criteria as Criterion[];
  return all ? { and: whole } : { or: whole };
}

function criterionOf(draft: Draft, timezone: string): Criterion | null {
  if (draft.what === 'person') return draft.filter && { person: draft.filter };
  if (draft.what === 'in_cohort') return draft.cohort === null ? null : { in_cohort: draft.cohort };
  const { event, filters, frequency, times, days } = draft;
  const performed = {
    event,
    filters,
    times: { [frequency]: times },
    within: days === null ? null : { date_from: `-${days}d`, date_to: null, timezone },
  } as unknown as Schema<'Performed'>;
  return draft.what === 'performed' ? { performed } : { not_performed: performed };
}

/** `did checkout at least 3 times in the last 30 days, and plan is pro`. */
export function definitionSaid(definition: Definition, cohort: (id: number) => string): string {
  const [word, criteria] = 'and' in definition ? ['and', definition.and] : ['or', definition.or];
  return criteria.map((one) => criterionSaid(one, cohort)).join(`, ${word} `);
}

function criterionSaid(criterion: Criterion, cohort: (id: number) => string): string {
  if ('in_cohort' in criterion) return `is in ${cohort(criterion.in_cohort)}`;
  if ('person' in criterion) return saidOf(criterion.person, cohort);
  const [did, performed] =
    'performed' in criterion ? ['did', criterion.performed] : ['did not do', criterion.not_performed];
  return [
    did,
    performed.event ?? 'anything',
    timesSaid(performed.times),
    performed.filters ? `where ${saidOf(performed.filters, cohort)}` : '',
    withinSaid(performed.within),
  ]
    .filter((words) => words !== '')
    .join(' ');
}

function timesSaid(times: Schema<'Frequency'> | undefined): string {
  const [how, many] = Object.entries(times ?? { at_least: 1 })[0] ?? ['at_least', 1];
  if (how === 'at_least' && many === 1) return '';
  return `${how.replace('_', ' ')} ${many === 1 ? 'once' : `${many} times`}`;
}

function withinSaid(within: Schema<'Within'> | null | undefined): string {
  if (!within) return '';
  const days = /^-(\d+)d$/.exec(within.date_from)?.[1];
  return days && !within.date_to
    ? `in the last ${days} days`
    : `between ${within.date_from} and ${within.date_to ?? 'now'}`;
}

/** The ids in a text that was pasted: one a line, or the first column of a table. */
export function idsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => (line.split(/[,;\t]/)[0] ?? '').trim().replace(/^"(.*)"$/, '$1'));
  return [...new Set(lines.filter((id) => id !== ''))];
}
