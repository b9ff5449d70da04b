/** Runs a file on a device and says what differs. */
import { file, START, type Settings, type Step } from './file';
import { outcome } from './text';

/** A client in a world that does what a file says. */
export interface Device {
  /** Takes a step and returns its outcome, if it has one that can be seen here. */
  step(step: Step, now: number): Promise<string | undefined> | string | undefined;
}

/** Makes a device as the head of a file says. */
export type Make = (settings: Settings, storage: boolean, now: number) => Device;

/** What differs in a file, said with the place; nothing if every outcome is as the file says. */
export interface Result {
  steps: number;
  /** Outcomes that were compared, so that a run that compares nothing is seen. */
  compared: number;
  difference: string | undefined;
}

/**
 * How much of the ids is compared: `exact`, as far as pages can have them; `requests`: the ids of requests by which is
 * which alone; `none`: all ids by which is which alone.
 */
export type Ids = 'exact' | 'requests' | 'none';

const RENAMED: { [ids in Ids]: RegExp } = {
  exact: /(?!)/g,
  requests: /(?<="trailmark-request-id":")[^"]*/g,
  none: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g,
};

/** Runs the file up to the first difference. */
export async function run(text: string, make: Make, ids: Ids = 'exact'): Promise<Result> {
  const { settings, storage, steps } = file(text);
  const device = make(settings, storage, START);
  const result: Result = { steps: steps.length, compared: 0, difference: undefined };
  const sides = [renamer(RENAMED[ids]), renamer(RENAMED[ids])] as const;
  let now = START;
  for (const [index, step] of steps.entries()) {
    now = step.at ?? now;
    const got = await taken(device, step, now);
    if (got === undefined) continue;
    result.compared++;
    result.difference = difference(index, step, sides[0](outcome(step.expect ?? 'null')), sides[1](outcome(got)));
    if (result.difference !== undefined) break;
  }
  return result;
}

/** An exception is an outcome, too: one that no file expects. */
async function taken(device: Device, step: Step, now: number): Promise<string | undefined> {
  try {
    return await device.step(step, now);
  } catch (error) {
    return JSON.stringify({ threw: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/**
 * What a page cannot have as the file says it, made the same on both sides:
 * - Ids of events are the stub's and those of requests the engine's, each with a counter of its own for what happens in
 *   the same millisecond: these 12 bits. In the core there is one counter for both, and one latest time when the clock
 *   goes back: a request's id has the time of neither.
 * - A page's clock has no microseconds, so the engine's wait ends with the millisecond.
 */
function onPages(outcome: string): string {
  return outcome
    .replace(/("trailmark-request-id":)"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/g, '$1"___-')
    .replace(/("id":|^)("[0-9a-f]{8}-[0-9a-f]{4}-7)[0-9a-f]{3}-/g, '$1$2___-')
    .replace(/^\{"wake":"(.*)"\}$/, (_, time: string) => `{"wake":"${wholeMillisecond(time)}"}`);
}

function wholeMillisecond(time: string): string {
  const [, seconds, millis, micros] = /^(.*)\.(\d{3})(\d*)Z$/.exec(time) ?? [];
  const end = Date.parse(`${seconds}.${millis}Z`) + (Number(micros) > 0 ? 1 : 0);
  return new Date(end).toISOString();
}

/** Names what it finds by the order in which it is first met: the same places have the same names on both sides. */
function renamer(which: RegExp): (outcome: string) => string {
  const met: string[] = [];
  const name = (id: string): string => `#${met.includes(id) ? met.indexOf(id) : met.push(id) - 1}`;
  return (outcome) => onPages(outcome.replace(which, name));
}

function difference(index: number, step: Step, expected: string, found: string): string | undefined {
  if (expected === found) return undefined;
  return `step ${index + 1}, ${step.text.slice(0, 200)}\n${around(expected, found)}`;
}

/** Both texts from shortly before the first character that differs. */
export function around(expected: string, found: string): string {
  let at = 0;
  while (expected[at] !== undefined && expected[at] === found[at]) at++;
  const part = (text: string): string => text.slice(Math.max(0, at - 200), at + 300);
  return `expected …${part(expected)}\n     got …${part(found)}`;
}
