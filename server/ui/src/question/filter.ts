/** Filters as a list of conditions, which is how people make them. Pure. */
import type { Filter } from './question';

export type Plain = string | number | boolean | null;
export type Whose = 'event' | 'person' | 'session' | 'cohort';

/** What can be said of a property, and how. */
export const OPS = {
  is: 'is',
  is_not: 'is not',
  contains: 'contains',
  not_contains: 'does not contain',
  regex: 'matches the pattern',
  gt: 'is more than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
  between: 'is between',
  is_set: 'is there',
  is_not_set: 'is missing',
  in_cohort: 'is in the cohort',
  not_in_cohort: 'is not in the cohort',
} as const;

export type Op = keyof typeof OPS;

export interface Condition {
  type: Whose;
  /** Empty for cohorts. */
  property: string;
  op: Op;
  values: Plain[];
}

/** Conditions that all are to be so, or one of them at least. */
export interface Conditions {
  all: boolean;
  list: Condition[];
}

const OF_COHORT: readonly Op[] = ['in_cohort', 'not_in_cohort'];
const OF_MANY: readonly Op[] = ['is', 'is_not', 'contains', 'not_contains'];

export const isOfCohort = (op: Op) => OF_COHORT.includes(op);
/** Whether it takes one value or several of which one fits. */
export const takesMany = (op: Op) => OF_MANY.includes(op);
export const takesNone = (op: Op) => op === 'is_set' || op === 'is_not_set';

const FAMILIES: readonly (readonly Op[])[] = [
  ['is', 'is_not'],
  ['contains', 'not_contains'],
  ['gt', 'gte', 'lt', 'lte'],
  OF_COHORT,
];

/** Whether values for the one comparison are values for the other. */
export const takeTheSame = (one: Op, other: Op) =>
  one === other || FAMILIES.some((family) => family.includes(one) && family.includes(other));

/** The list; none if the filter is nested deeper than a list can show. */
export function conditionsOf(filter: Filter | null | undefined): Conditions | null {
  if (!filter) return { all: true, list: [] };
  if ('op' in filter) return { all: true, list: [conditionOf(filter)] };
  const all = 'and' in filter;
  const below = all ? filter.and : 'or' in filter ? filter.or : [];
  if (!Array.isArray(below) || !below.every((one) => typeof one === 'object' && one !== null && 'op' in one))
    return null;
  return { all, list: below.map((one) => conditionOf(one as Extract<Filter, { op: unknown }>)) };
}

function conditionOf(filter: Extract<Filter, { op: unknown }>): Condition {
  const said = filter as { type?: Whose; property?: string; op: Op; value?: unknown };
  const values = (Array.isArray(said.value) ? said.value : said.value === undefined ? [] : [said.value]) as Plain[];
  return { type: said.type ?? 'event', property: said.property ?? '', op: said.op, values };
}

/** The filter; none if there is no whole condition. */
export function filterOf({ all, list }: Conditions): Filter | null {
  const whole = list.filter(isWhole).map(written);
  const [first] = whole;
  if (!first) return null;
  if (whole.length === 1) return first;
  return all ? { and: whole } : { or: whole };
}

function written({ type, property, op, values }: Condition): Filter {
  const said: Record<string, unknown> = isOfCohort(op) ? { type: 'cohort', op } : { type, property, op };
  if (!takesNone(op)) said.value = op === 'between' || values.length > 1 ? values : values[0];
  return said as Filter;
}

/** Whether nothing is left to be filled in. */
export function isWhole({ property, op, values }: Condition): boolean {
  if (!isOfCohort(op) && property === '') return false;
  if (takesNone(op)) return true;
  return values.length >= (op === 'between' ? 2 : 1);
}

/** What was typed, as a value: numbers and truths where the property has no texts. */
export function readValue(text: string, types: readonly string[], op: Op): Plain {
  const number = Number(text);
  const isNumber = text.trim() !== '' && Number.isFinite(number);
  if (op === 'between') return isNumber ? number : text;
  if (['gt', 'gte', 'lt', 'lte'].includes(op)) return isNumber ? number : text;
  if (!['is', 'is_not'].includes(op)) return text;
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.includes('null') && text === 'null') return null;
  return types.includes('number') && !types.includes('string') && isNumber ? number : text;
}

/** `plan is pro or team, and country is not DE`. */
export function saidOf(filter: Filter | null | undefined, cohort: (number: number) => string): string {
  if (!filter) return '';
  if ('op' in filter) return conditionSaid(conditionOf(filter), cohort);
  const [word, below] = 'and' in filter ? ['and', filter.and] : ['or', filter.or];
  return below
    .map((one) => ('op' in one ? saidOf(one, cohort) : `(${saidOf(one, cohort)})`))
    .join(below.length > 1 ? `, ${word} ` : '');
}

function conditionSaid({ property, op, values }: Condition, cohort: (number: number) => string): string {
  if (isOfCohort(op)) return `${OPS[op]} ${cohort(Number(values[0]))}`;
  const said = values.map((value) => (value === '' ? '“”' : String(value)));
  return [property, OPS[op], said.join(op === 'between' ? ' and ' : ' or ')].filter((word) => word !== '').join(' ');
}
