/** Stretches of time that are asked for often, and how they are called. Pure. */
import type { Interval } from './question';

export interface Range {
  from: string;
  to: string | null;
}

/** What a key chooses: like `-30d`, `from` is the beginning of that hour or day. */
export const RANGES = [
  { from: '-0d', name: 'Today', key: 'd', interval: 'hour' },
  { from: '-1d', name: 'Since yesterday', key: 'e', interval: 'hour' },
  { from: '-7d', name: 'Last 7 days', key: 'w', interval: 'day' },
  { from: '-30d', name: 'Last 30 days', key: 'm', interval: 'day' },
  { from: '-90d', name: 'Last 90 days', key: 'q', interval: 'week' },
  { from: '-12m', name: 'Last 12 months', key: 'y', interval: 'month' },
] as const satisfies readonly { from: string; name: string; key: string; interval: Interval }[];

const UNITS: Record<string, [string, string]> = {
  h: ['hour', 'hours'],
  d: ['day', 'days'],
  w: ['week', 'weeks'],
  m: ['month', 'months'],
  y: ['year', 'years'],
};

/** `Last 30 days`, `Nov 1 to Nov 20`. */
export function rangeSaid(from: string | null | undefined, to: string | null | undefined): string {
  if (from && !to) {
    const known = RANGES.find((range) => range.from === from);
    if (known) return known.name;
    const [, value, unit] = /^-(\d+)([hdwmy])$/.exec(from) ?? [];
    const names = unit && UNITS[unit];
    if (names) return `Last ${value} ${value === '1' ? names[0] : names[1]}`;
  }
  return `${from ? daySaid(from) : 'The beginning'} to ${to ? daySaid(to) : 'now'}`;
}

const DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });

const daySaid = (text: string) => (isDate(text) ? DAY.format(new Date(text)) : text);

/** Whether it is a date that a field can hold. */
export const isDate = (text: string | null | undefined): text is string => /^\d{4}-\d{2}-\d{2}$/.test(text ?? '');
