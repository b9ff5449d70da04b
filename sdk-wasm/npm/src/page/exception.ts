/** Errors as properties of `$exception`: to the byte what sdk-core/src/exception.rs writes. */
import type { ExceptionFacts, Properties, Thrown } from '../api';
import type { Inside } from '../inside';
import { merged, plain } from '../json';
import { framesOf } from './stack';

/** Limits of sdk-core/src/exception.rs: errors of a chain, frames of a chain, bytes of a message and of another text. */
const CAUSES = 8;
const FRAMES = 48;
const MESSAGE_BYTES = 2_000;
const TEXT_BYTES = 300;

/** `$exception` of an error that the page has caught. The same error is told once, whoever tells it first. */
export function captureException(client: Inside, error: unknown, properties?: Properties): void {
  const facts = isFacts(error) ? error : { thrown: chainOf(error), handled: true };
  if (isNews(client, error)) client.record_('$exception', merged(properties, plain(exceptionProperties(facts))));
}

const told = new WeakMap<Inside, WeakSet<object>>();

/** Whether this client has not been told of this error; from now on it has. */
export function isNews(client: Inside, error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true;
  const known = told.get(client) ?? new WeakSet();
  told.set(client, known);
  const isNew = !known.has(error);
  known.add(error);
  return isNew;
}

function isFacts(error: unknown): error is ExceptionFacts {
  return !(error instanceof Error) && Array.isArray((error as ExceptionFacts | null)?.thrown);
}

/** The properties of `$exception`, in the core's order; what is not known is `undefined`, which JSON leaves out. */
export function exceptionProperties({ thrown, handled, level, fingerprint }: ExceptionFacts): Properties {
  const kept = thrown.slice(0, CAUSES);
  const frames = Math.floor(FRAMES / Math.max(1, kept.length));
  return {
    $exception_list: kept.map((one) => listed(one, !!handled, frames)),
    $exception_level: level ?? 'error',
    $exception_fingerprint: text(fingerprint),
  };
}

function listed({ kind, message, frames = [] }: Thrown, handled: boolean, most: number): Properties {
  return {
    type: text(kind),
    value: cut(message, MESSAGE_BYTES),
    mechanism: { handled },
    stacktrace: { frames: frames.slice(0, most).map(placed) },
  };
}

function placed(frame: NonNullable<Thrown['frames']>[number]): Properties {
  return {
    function: text(frame.function),
    filename: text(frame.file),
    lineno: frame.line,
    colno: frame.column,
    in_app: frame.in_app,
  };
}

function text(known: unknown): string | undefined {
  return known === undefined ? known : cut(known, TEXT_BYTES);
}

/** The longest beginning that takes at most so many bytes as JSON; `"` and `\` take 2, what is below a space 6. */
export function cut(text: unknown, bytes: number): string {
  const whole = String(text);
  let end = 0;
  for (const char of whole) {
    bytes -= writtenBytes(char);
    if (bytes < 0) break;
    end += char.length;
  }
  return whole.slice(0, end);
}

function writtenBytes(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (char === '"' || char === '\\') return 2;
  if (code < 0x20) return 6;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
}

/** The error, its cause and, of an `AggregateError`, its errors; then theirs. Each once. */
export function chainOf(error: unknown): Thrown[] {
  const chain = [error];
  for (const one of chain) {
    const { cause, errors } = isObject(one) ? one : {};
    for (const next of [cause, ...(Array.isArray(errors) ? errors.slice(0, CAUSES) : [])])
      if (next && chain.length < CAUSES && !chain.includes(next)) chain.push(next);
  }
  return chain.map(thrownOf);
}

function thrownOf(error: unknown): Thrown {
  if (!isObject(error)) return { kind: typeof error, message: String(error) };
  const { name, message, stack } = error;
  return {
    kind: typeof name === 'string' ? name : (error.constructor?.name ?? 'Object'),
    // Of what is no error only the names: its values may be anybody's data.
    message: typeof message === 'string' ? message : `{${Object.keys(error).slice(0, 20).join(', ')}}`,
    frames: typeof stack === 'string' ? framesOf(withoutHead(stack, message)) : [],
  };
}

/** Chromium writes the message in front, and a message may look like frames. */
function withoutHead(stack: string, message: unknown): string {
  const at = typeof message === 'string' && message ? stack.indexOf(message) : -1;
  return at < 0 ? stack : stack.slice(at + String(message).length);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
