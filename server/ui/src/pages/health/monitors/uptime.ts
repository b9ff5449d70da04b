import type { Schema } from '../../../api/types';
import { count, utcDay } from '../../../format';
import type { Tone } from '../../../parts/badge';

/** Of a share of checks that went well: `99.98 %`. It is cut, not rounded: 100 % means that nothing failed. */
export function uptime(share: number | null | undefined): string {
  if (share == null) return '–';
  if (share === 1) return '100 %';
  return `${(Math.floor(share * 10_000 + 1e-6) / 100).toFixed(2)} %`;
}

export interface Bar {
  at: string;
  /** `none`: nobody checked. */
  how: 'none' | 'good' | 'some' | 'bad';
  text: string;
}

/** Below this share of good checks a day counts as bad: 1 % of a day are 14 minutes. */
const BAD_BELOW = 0.99;

/** A bar for each day, with what it says when it is asked. */
export function bars(days: readonly Schema<'UptimeBar'>[]): Bar[] {
  return days.map(({ at, checks, failures, uptime: share }) => {
    if (checks === 0 || share == null) return { at, how: 'none', text: `${utcDay(at)}: not checked` };
    const failed = failures === 0 ? 'no check failed' : `${count(failures)} of ${count(checks)} checks failed`;
    const how = failures === 0 ? 'good' : share >= BAD_BELOW ? 'some' : 'bad';
    return { at, how, text: `${utcDay(at)}: ${uptime(share)}, ${failed}` };
  });
}

/** The bars in one sentence, for who does not see them. */
export function spoken(days: readonly Schema<'UptimeBar'>[]): string {
  const known = bars(days).filter((bar) => bar.how !== 'none');
  const failed = known.filter((bar) => bar.how !== 'good').length;
  if (known.length === 0) return `The last ${days.length} days: not checked`;
  return `The last ${days.length} days: checked on ${known.length}, with failures on ${failed}`;
}

export const TONES: Record<Schema<'MonitorState'>, Tone> = {
  up: 'good',
  down: 'bad',
  failing: 'warn',
  paused: 'plain',
  unknown: 'plain',
};

/** `new`, for a monitor that was not checked since it was made or changed. */
export const stateName = (state: Schema<'MonitorState'>) => (state === 'unknown' ? 'not checked yet' : state);

/** What is asked: `GET https://shop.example/health`, `db.example:5432`. */
export function target({ http, tcp }: Pick<Schema<'Monitor'>, 'http' | 'tcp'>): string {
  if (http) return http.method && http.method !== 'GET' ? `${http.method} ${http.url}` : http.url;
  return tcp ? `${tcp.host}:${tcp.port}` : '';
}

/** A certificate that ends within two weeks is a problem. */
const CERTIFICATE_MS = 14 * 86_400_000;

export function certificate(
  notAfter: string | null | undefined,
  now: number,
): { text: string; isSoon: boolean } | null {
  if (!notAfter) return null;
  const left = Date.parse(notAfter) - now;
  if (left <= 0) return { text: 'has ended', isSoon: true };
  return { text: `ends in ${count(Math.floor(left / 86_400_000))} d`, isSoon: left < CERTIFICATE_MS };
}

/** For how long an incident lasted, or lasts, in seconds. */
export const lasted = (incident: { started_at: string; ended_at?: string | null }, now: number) =>
  Math.max(0, ((incident.ended_at ? Date.parse(incident.ended_at) : now) - Date.parse(incident.started_at)) / 1000);
