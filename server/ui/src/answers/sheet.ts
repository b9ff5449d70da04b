/** Answers as tables: what a table shows and a file has. Pure. */
import { count, csv, percent, seconds } from '../format';
import { letter } from '../question/question';
import { type Answered, type AnswerOf, lineSaid, linesSaid, partsSaid, periodSaid, sameLine } from './words';

/** A number whose people can be shown: where it is in the answer. */
export interface Place {
  title: string;
  at: object;
}

export interface Cell {
  text: string;
  /** What a file has. */
  value: string | number | null;
  place?: Place;
}

export interface Sheet {
  columns: { name: string; number: boolean }[];
  rows: Cell[][];
}

const words = (text: string): Cell => ({ text, value: text });
const number = (value: number | null | undefined, place?: Place): Cell => ({
  text: count(value),
  value: value ?? null,
  ...(place && value ? { place } : {}),
});
const share = (value: number | null | undefined): Cell => ({ text: percent(value), value: value ?? null });
const time = (value: number | null | undefined): Cell => ({ text: seconds(value), value: value ?? null });
const heads = (texts: string[], numbers: string[]) => [
  ...texts.map((name) => ({ name, number: false })),
  ...numbers.map((name) => ({ name, number: true })),
];

/** The table of an answer. */
export function sheetOf(answer: Answered): Sheet {
  switch (answer.kind) {
    case 'trends':
      return trends(answer);
    case 'funnel':
      return funnel(answer);
    case 'retention':
      return retention(answer);
    case 'lifecycle':
      return lifecycle(answer);
    case 'stickiness':
      return stickiness(answer);
    case 'paths':
      return paths(answer);
    case 'sessions':
      return sessions(answer);
    case 'cohort':
      return { columns: heads([], ['People']), rows: [[number(answer.persons, { title: 'In the cohort', at: {} })]] };
  }
}

/** The same for a file. */
export function sheetCsv({ columns, rows }: Sheet): string {
  return csv([columns.map((column) => column.name), ...rows.map((row) => row.map((cell) => cell.value))]);
}

/** A period: what it is called, and that it is not over yet; a file has its beginning. */
const periodCell = (answer: Answered, label: string): Cell => {
  const open = answer.meta.incomplete_from;
  const said = periodSaid(label, intervalOf(answer));
  // Labels of days and months are in their order as texts; those of hours where clocks change may not be, by an hour.
  return { text: open && label >= open ? `${said}, not over yet` : said, value: label };
};

/** A title as the name of a file. */
export const fileName = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '') || 'trailmark';

export const intervalOf = ({ query }: Answered) =>
  'interval' in query ? query.interval : 'period' in query ? query.period : null;

/** The place of a number in a trend; a formula's is nobody's. */
export function trendPlace(answer: AnswerOf<'trends'>, line: number, period?: number): Place | undefined {
  const found = answer.results[line];
  if (!found?.series) return undefined;
  const label = period === undefined ? undefined : answer.labels[period];
  const when = label === undefined ? '' : `, ${periodSaid(label, intervalOf(answer))}`;
  return {
    title: `${lineSaid(found)}${when}`,
    at: {
      series: found.series,
      ...(label === undefined ? {} : { period: label }),
      ...(found.breakdown?.length ? { breakdown: found.breakdown } : {}),
    },
  };
}

function trends(answer: AnswerOf<'trends'>): Sheet {
  const before = answer.previous?.results;
  const names = linesSaid(answer.results).flatMap((name) => [name, ...(before ? [`${name}, before`] : [])]);
  const earlier = (at: number) => {
    const line = answer.results[at];
    return line && sameLine(line, before);
  };
  const row = (head: Cell, values: (line: number) => Cell[]): Cell[] => [
    head,
    ...answer.results.flatMap((_, line) => values(line)),
  ];
  const whole = row(words('Whole stretch'), (line) => [
    number(answer.results[line]?.total, trendPlace(answer, line)),
    ...(before ? [number(earlier(line)?.total)] : []),
  ]);
  const rows = answer.labels.map((label, period) =>
    row(periodCell(answer, label), (line) => [
      number(answer.results[line]?.values[period], trendPlace(answer, line, period)),
      ...(before ? [number(earlier(line)?.values[period])] : []),
    ]),
  );
  return { columns: heads(['Period'], names), rows: [whole, ...rows] };
}

export function funnelPlace(
  answer: AnswerOf<'funnel'>,
  line: number,
  step: number,
  outcome: 'converted' | 'dropped',
): Place {
  const found = answer.results[line];
  const parts = found?.breakdown?.length ? ` · ${partsSaid(found.breakdown)}` : '';
  const name = found?.steps[step]?.name ?? '';
  return {
    title: outcome === 'converted' ? `Did ${name}${parts}` : `Did not get to ${name}${parts}`,
    at: { step, outcome, ...(found?.breakdown?.length ? { breakdown: found.breakdown } : {}) },
  };
}

/** How many took the step before and not this one; none for the first. */
export function dropped(steps: readonly { count: number }[], step: number): number | null {
  const [before, here] = [steps[step - 1], steps[step]];
  return before && here ? before.count - here.count : null;
}

function funnel(answer: AnswerOf<'funnel'>): Sheet {
  const broken = answer.results.some((line) => line.breakdown?.length);
  const numbers = ['Count', 'Dropped', 'Of the first', 'Of the step before', 'Median time', 'Mean time'];
  return {
    columns: heads(broken ? ['Part', 'Step'] : ['Step'], numbers),
    rows: answer.results.flatMap((line, at) =>
      line.steps.map((step, index) => [
        ...(broken ? [words(partsSaid(line.breakdown))] : []),
        words(`${index + 1}. ${step.name}`),
        number(step.count, funnelPlace(answer, at, index, 'converted')),
        number(dropped(line.steps, index), funnelPlace(answer, at, index, 'dropped')),
        share(step.of_first),
        share(step.of_previous),
        time(step.median_seconds),
        time(step.average_seconds),
      ]),
    ),
  };
}

export function retentionPlace(answer: AnswerOf<'retention'>, row: number, interval: number): Place {
  const label = answer.results[row]?.label ?? '';
  const period = intervalOf(answer) ?? 'period';
  const later = interval === 0 ? 'who began' : `back ${interval} ${period}${interval === 1 ? '' : 's'} later`;
  return { title: `${periodSaid(label, period)}: ${later}`, at: { period: label, interval } };
}

function retention(answer: AnswerOf<'retention'>): Sheet {
  const most = Math.max(0, ...answer.results.map((row) => row.values.length));
  const period = intervalOf(answer) ?? 'period';
  return {
    columns: heads(
      ['Began'],
      [
        'People',
        ...Array.from({ length: most }, (_, interval) => `${period[0]?.toUpperCase()}${period.slice(1)} ${interval}`),
      ],
    ),
    rows: answer.results.map((row, at) => [
      { text: periodSaid(row.label, period), value: row.label },
      number(row.size, retentionPlace(answer, at, 0)),
      ...Array.from({ length: most }, (_, interval) => {
        const value = row.values[interval];
        return value == null ? { text: '', value: null } : number(value, retentionPlace(answer, at, interval));
      }),
    ]),
  };
}

export const STATES = ['new', 'returning', 'resurrecting', 'dormant'] as const;
export type State = (typeof STATES)[number];

export function lifecyclePlace(answer: AnswerOf<'lifecycle'>, period: number, status: State): Place {
  const label = answer.labels[period] ?? '';
  return { title: `${status}, ${periodSaid(label, intervalOf(answer))}`, at: { period: label, status } };
}

function lifecycle(answer: AnswerOf<'lifecycle'>): Sheet {
  return {
    columns: heads(['Period'], ['New', 'Returning', 'Resurrecting', 'Dormant']),
    rows: answer.labels.map((label, at) => [
      periodCell(answer, label),
      ...STATES.map((state) => number(answer[state][at], lifecyclePlace(answer, at, state))),
    ]),
  };
}

export function stickinessPlace(answer: AnswerOf<'stickiness'>, series: number, periods: number): Place {
  const line = answer.results[series];
  const interval = intervalOf(answer) ?? 'period';
  return {
    title: `${line?.name ?? ''}, in ${periods} ${interval}${periods === 1 ? '' : 's'}`,
    at: { series, periods },
  };
}

function stickiness(answer: AnswerOf<'stickiness'>): Sheet {
  const interval = intervalOf(answer) ?? 'period';
  return {
    columns: heads(
      [`${interval[0]?.toUpperCase()}${interval.slice(1)}s`],
      answer.results.map((line, at) => (answer.results.length > 1 ? `${letter(at)}. ${line.name}` : line.name)),
    ),
    rows: answer.labels.map((periods, at) => [
      { text: count(periods), value: periods },
      ...answer.results.map((line, series) => number(line.values[at], stickinessPlace(answer, series, periods))),
    ]),
  };
}

export const edgePlace = (edge: { step: number; from: string; to: string }): Place => ({
  title: `From ${edge.from} to ${edge.to}`,
  at: { step: edge.step, from: edge.from, to: edge.to },
});

function paths(answer: AnswerOf<'paths'>): Sheet {
  return {
    columns: heads(['Step', 'From', 'To'], ['People', 'Times']),
    rows: answer.results.map((edge) => [
      { text: count(edge.step), value: edge.step },
      words(edge.from),
      words(edge.to),
      number(edge.persons, edgePlace(edge)),
      number(edge.count),
    ]),
  };
}

export function sessionsPlace(answer: AnswerOf<'sessions'>, line: number, period?: number): Place {
  const parts = answer.results[line]?.breakdown;
  const label = period === undefined ? undefined : answer.labels[period];
  const when = label === undefined ? '' : `, ${periodSaid(label, intervalOf(answer))}`;
  return {
    title: `Sessions${parts?.length ? ` · ${partsSaid(parts)}` : ''}${when}`,
    at: { ...(label === undefined ? {} : { period: label }), ...(parts?.length ? { breakdown: parts } : {}) },
  };
}

function sessions(answer: AnswerOf<'sessions'>): Sheet {
  const broken = answer.results.some((line) => line.breakdown?.length);
  const facts = (line: number, values: (typeof answer.results)[number]['total'] | undefined, period?: number) => [
    number(values?.sessions, sessionsPlace(answer, line, period)),
    time(values?.median_seconds),
    time(values?.average_seconds),
    number(values?.events_per_session),
    share(values?.bounce_rate),
  ];
  return {
    columns: heads(broken ? ['Part', 'Period'] : ['Period'], [
      'Sessions',
      'Median length',
      'Mean length',
      'Events in each',
      'Bounced',
    ]),
    rows: answer.results.flatMap((line, at) => {
      const part = broken ? [words(partsSaid(line.breakdown))] : [];
      return [
        [...part, words('Whole stretch'), ...facts(at, line.total)],
        ...answer.labels.map((label, period) => [
          ...part,
          periodCell(answer, label),
          ...facts(at, line.values[period], period),
        ]),
      ];
    }),
  };
}
