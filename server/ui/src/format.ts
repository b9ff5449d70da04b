/** Numbers and times as people read them. All of it is pure; `now` is given. */

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });
const UTC_DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
const FULL = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

/** `12,345.6`; `–` for what is not known. */
export const count = (value: number | null | undefined) => (value == null ? '–' : NUMBER.format(value));

/** `12.3K`. */
export const short = (value: number | null | undefined) => (value == null ? '–' : SHORT.format(value));

/** Of a share from 0 to 1: `41 %`, `0.3 %`, `< 0.1 %`. */
export function percent(share: number | null | undefined): string {
  if (share == null || Number.isNaN(share)) return '–';
  const hundredths = share * 100;
  if (hundredths > 0 && hundredths < 0.1) return '< 0.1 %';
  if (hundredths < 100 && hundredths > 99.9) return '> 99.9 %';
  return `${hundredths.toFixed(hundredths < 10 && hundredths % 1 !== 0 ? 1 : 0)} %`;
}

/** Of milliseconds: `320 ms`, `1.2 s`. */
export function millis(value: number | null | undefined): string {
  if (value == null) return '–';
  return value < 1000 ? `${Math.round(value)} ms` : seconds(value / 1000);
}

/** Of seconds: `4.2 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function seconds(value: number | null | undefined): string {
  if (value == null) return '–';
  if (value < 60) return `${NUMBER.format(value)} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} d`;
}

/** `3 min ago`, `yesterday`-less and short; `in 2 h` for what is to come. */
export function ago(at: string | number | Date, now: number): string {
  const away = (now - new Date(at).getTime()) / 1000;
  if (Math.abs(away) < 5) return 'just now';
  const said = seconds(coarse(Math.abs(away)));
  return away > 0 ? `${said} ago` : `in ${said}`;
}

/** Whole seconds below a minute, whole hours from an hour on: nobody asks which minute ten hours ago was. */
function coarse(seconds: number): number {
  if (seconds < 60) return Math.round(seconds);
  return seconds < 3600 ? seconds : Math.floor(seconds / 3600) * 3600;
}

/** `Nov 20`. */
export const day = (at: string | number | Date) => DAY.format(new Date(at));

/** `Nov 20`, of a day that is one of UTC, wherever it is looked at. */
export const utcDay = (at: string | number | Date) => UTC_DAY.format(new Date(at));

/** `Nov 20, 2026, 9:13:05 PM`. */
export const full = (at: string | number | Date) => FULL.format(new Date(at));

/** `1 person`, `2 people`. */
export const counted = (value: number, one: string, many: string) => `${count(value)} ${value === 1 ? one : many}`;

/** CSV of RFC 4180. What a spreadsheet would take for a formula gets a quote in front. */
export function csv(rows: readonly (readonly unknown[])[]): string {
  const cell = (value: unknown) => {
    const text = value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
