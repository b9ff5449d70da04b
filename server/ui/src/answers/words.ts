/** How answers name their periods and parts, and how a number stands to the one before. Pure. */
import type { Schema } from '../api/types';

export type Part = Schema<'Part'>;
export type Answered = Schema<'Answer'>;
export type AnswerOf<K extends Answered['kind']> = Extract<Answered, { kind: K }>;

const DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
const MONTH = new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric', timeZone: 'UTC' });
const HOUR = new Intl.DateTimeFormat('en', {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

/** The time on the clock of the question's zone: a label without its distance from UTC. */
export const onTheClock = (label: string) => (label.length === 10 ? `${label}T00:00:00` : label.slice(0, 19));

/** `Nov 20`, `week of Nov 16`, `Nov 2026`, `Nov 20, 13:00`: a period by its label. */
export function periodSaid(label: string, interval: string | null | undefined): string {
  const at = new Date(`${onTheClock(label)}Z`);
  if (Number.isNaN(at.getTime())) return label;
  if (label.length > 10) return HOUR.format(at);
  if (interval === 'month') return MONTH.format(at);
  return interval === 'week' ? `week of ${DAY.format(at)}` : DAY.format(at);
}

/** `pro`, `other`, `no value`. */
export function partSaid(part: Part): string {
  if ('other' in part) return 'other';
  if ('missing' in part) return 'no value';
  if (part.value === null) return 'null';
  if (part.value === '') return '“”';
  return typeof part.value === 'object' ? JSON.stringify(part.value) : String(part.value);
}

export const partsSaid = (parts: readonly Part[] | undefined) => (parts ?? []).map(partSaid).join(' · ');

/** `checkout · pro`. */
export function lineSaid(line: { name: string; breakdown?: readonly Part[] }): string {
  return line.breakdown?.length ? `${line.name} · ${partsSaid(line.breakdown)}` : line.name;
}

interface Named {
  series?: string | null;
  name: string;
  breakdown?: readonly Part[];
}

/** Names for lines; those that would be called the same have the letters of their series before them. */
export function linesSaid(lines: readonly Named[]): string[] {
  const names = lines.map(lineSaid);
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
  return names.map((name, at) => (isTwice(name) && lines[at]?.series ? `${lines[at].series}. ${name}` : name));
}

/** The same line in the stretch before. */
export function sameLine<L extends Named>(line: Named, lines: readonly L[] | undefined): L | undefined {
  const key = ({ series, breakdown }: Named) => JSON.stringify([series ?? '', breakdown ?? []]);
  return lines?.find((one) => key(one) === key(line));
}

/** The share by which a number changed; none where there is nothing to compare with. */
export function changeOf(now: number | null | undefined, before: number | null | undefined): number | null {
  if (now == null || !before) return null;
  return (now - before) / Math.abs(before);
}

/** `+12 %`, `−3.4 %`, `±0 %`. */
export function changeSaid(change: number | null): string {
  if (change === null) return '–';
  const hundredths = change * 100;
  const size = Math.abs(hundredths);
  const rounded = size < 10 ? Math.round(size * 10) / 10 : Math.round(size);
  if (rounded === 0) return '±0 %';
  return `${hundredths > 0 ? '+' : '−'}${rounded.toLocaleString('en')} %`;
}
