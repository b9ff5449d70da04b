import type { Schema } from '../../api/types';
import { count, seconds } from '../../format';

export type NowAnswer = Schema<'Now'>;

/** The detectors look every 15 s; when they have not for two minutes, they do not run. */
const STALE_MS = 2 * 60_000;

/** Whether the detectors look. What they do not see is not known. */
export function watch(now: Pick<NowAnswer, 'at' | 'looked_at'>): 'looking' | 'never' | 'stopped' {
  if (!now.looked_at) return 'never';
  return Date.parse(now.at) - Date.parse(now.looked_at) > STALE_MS ? 'stopped' : 'looking';
}

/** Whether somebody looks, and finds nothing. */
export const isClear = (now: NowAnswer) => now.problems.length === 0 && watch(now) === 'looking';

/** The one sentence. Nothing is said to be clear that nobody has looked at. */
export function headline(now: NowAnswer): string {
  if (now.problems.length > 0 || watch(now) === 'looking') return now.verdict;
  return watch(now) === 'never' ? 'Not looked at yet' : 'Nobody is looking';
}

const TIME = new Intl.DateTimeFormat('en', { hour: 'numeric', minute: '2-digit' });
const DATE = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });

/** `since 10:41 AM (1 h 20 min)`; with the day if it is another than that of `now`. */
export function since(at: string, now: string): string {
  const [then, today] = [new Date(at), new Date(now)];
  const format = then.toDateString() === today.toDateString() ? TIME : DATE;
  const lasts = Math.max(0, Math.round((today.getTime() - then.getTime()) / 1000));
  return `since ${format.format(then)} (${lasts < 60 ? 'just now' : seconds(lasts)})`;
}

/** A sentence of a detector, in which names stand between backticks. */
export function pieces(sentence: string): { text: string; isName: boolean }[] {
  return sentence
    .split('`')
    .map((text, at, all) => ({ text, isName: at % 2 === 1 && at < all.length - 1 }))
    .filter((piece) => piece.text !== '');
}

/** The minutes that are over: the present one, which always comes last, would look like a fall. */
export const over = <T>(minutes: readonly T[]): readonly T[] => minutes.slice(0, -1);

/** What was known longer ago than these minutes says nothing of now. */
const LATELY = 5;

/** The last that is known of the last minutes. */
export const last = (values: readonly (number | null)[]): number | null =>
  values.slice(-LATELY).findLast((one) => one !== null) ?? null;

/** What happened in the last hour, in a line. */
export function hour(strips: NowAnswer['strips']): string {
  const events = strips.events.reduce((sum, one) => sum + one, 0);
  return events === 0 ? 'No events in the last hour.' : `${count(events)} events in the last hour.`;
}
