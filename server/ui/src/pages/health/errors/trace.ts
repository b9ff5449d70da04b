/** Reads what an app sent of an error. Nothing of it is trusted: what is not of the expected shape is left out. */

export interface Frame {
  name: string;
  /** `cart.dart:88:7`; empty if it does not say. */
  place: string;
  isOwn: boolean;
}

/** An error, or what caused it. */
export interface Thrown {
  type: string;
  message: string;
  /** Null if it does not say. */
  handled: boolean | null;
  frames: Frame[];
}

/** Frames after one another that are all the app's own, or all of libraries. */
export interface Run {
  isOwn: boolean;
  frames: Frame[];
}

type Part = Record<string, unknown>;

const part = (value: unknown): Part => (typeof value === 'object' && value !== null ? (value as Part) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The error of an event, then its causes, the nearest first. */
export function thrown(properties: unknown): Thrown[] {
  return list(part(properties).$exception_list)
    .map(part)
    .map((one) => {
      const handled = part(one.mechanism).handled;
      return {
        type: text(one.type) || 'Error',
        message: text(one.value),
        handled: typeof handled === 'boolean' ? handled : null,
        frames: list(part(one.stacktrace).frames).map(part).map(frame),
      };
    });
}

function frame(sent: Part): Frame {
  const numbers = [sent.lineno, sent.colno].filter((one) => typeof one === 'number');
  return {
    name: text(sent.function) || '(without a name)',
    place: [text(sent.filename), ...numbers].filter((one) => one !== '').join(':'),
    isOwn: sent.in_app === true,
  };
}

/**
 * The stack in its order, the innermost first, cut where own code and libraries meet. Where nothing is own code nobody
 * has said what is, and nothing is hidden.
 */
export function runs(frames: readonly Frame[]): Run[] {
  if (!frames.some((frame) => frame.isOwn)) return frames.length > 0 ? [{ isOwn: true, frames: [...frames] }] : [];
  const cut: Run[] = [];
  for (const frame of frames) {
    const open = cut.at(-1);
    if (open?.isOwn === frame.isOwn) open.frames.push(frame);
    else cut.push({ isOwn: frame.isOwn, frames: [frame] });
  }
  return cut;
}

/** The error as text, for a bug report. */
export function asText(errors: readonly Thrown[]): string {
  return errors
    .map((one, at) => {
      const head = `${at > 0 ? 'Caused by ' : ''}${one.type}${one.message && `: ${one.message}`}`;
      return [head, ...one.frames.map((frame) => `    at ${frame.name}${frame.place && ` (${frame.place})`}`)].join(
        '\n',
      );
    })
    .join('\n');
}

/** What is known of the circumstances, by name. */
export function circumstances(context: unknown): { name: string; value: string }[] {
  const all = part(context);
  const [app, os, device] = [part(all.app), part(all.os), part(all.device)];
  const both = (...words: unknown[]) => words.map(text).filter(Boolean).join(' ');
  return [
    { name: 'Release', value: both(app.version) },
    { name: 'System', value: both(os.name, os.version) },
    { name: 'Device', value: both(device.manufacturer, device.model) },
    { name: 'Language', value: both(all.locale) },
    { name: 'Address', value: both(part(all.page).path) || both(part(all.page).url) },
  ].filter((one) => one.value !== '');
}

/** What the event says besides the error. */
export function otherProperties(properties: unknown): Part {
  return Object.fromEntries(Object.entries(part(properties)).filter(([name]) => !name.startsWith('$exception')));
}
