/** Errors as properties of `$exception`: to the byte what sdk-core/src/exception.rs writes. */
import type { ExceptionFacts, Properties, Thrown } from '../api';
import type { Inside } from '../inside';
import { framesOf } from './stack';

/** Limits of sdk-core/src/exception.rs: errors and frames of a chain, bytes of a message and of another text. */
const CAUSES = 8;
const FRAMES = 48;
const MESSAGE_BYTES = 2_000;
const TEXT_BYTES = 300;

/** `$exception` of an error that the page has caught. The same error is told once, whoever tells it first. */
export function captureException(client: Inside, error: unknown, properties?: Properties): void {
  const facts: ExceptionFacts = Array.isArray(Object(error).thrown)
    ? (error as ExceptionFacts)
    : { thrown: chainOf(error), handled: true };
  if (isNews(client, error)) client.record_('$exception', under(exceptionProperties(facts), properties));
}

/** What the SDK knows, behind the call's properties and instead of those of the same names. */
export function under(known: Properties, properties?: Properties): Properties {
  const all = { ...properties };
  for (const name in known) {
    if (known[name] === undefined) continue;
    delete all[name];
    all[name] = known[name];
  }
  return all;
}

/** Who was told of an error. */
const told = new WeakMap<object, Inside[]>();

/** Whether this client has not been told of this error; from now on it has. */
export function isNews(client: Inside, error: unknown): boolean {
  if (Object(error) !== error) return true;
  const clients = told.get(error as object) ?? [];
  told.set(error as object, [...clients, client]);
  return !clients.includes(client);
}

/** The properties of `$exception`, in the core's order; what is not known is `undefined`, which JSON leaves out. */
export function exceptionProperties({ thrown, handled, level, fingerprint }: ExceptionFacts): Properties {
  const kept = thrown.slice(0, CAUSES);
  return {
    $exception_list: kept.map((one) => listed(one, !!handled, FRAMES / kept.length)),
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
  if ('"\\'.includes(char)) return 2;
  if (code < 0x20) return 6;
  // From U+10000 on it is two of JavaScript's characters, and 4 bytes.
  return code < 0x80 ? 1 : code < 0x800 ? 2 : char.length + 2;
}

/** The error, its cause and, of an `AggregateError`, its errors; then theirs. Each once. */
export function chainOf(error: unknown): Thrown[] {
  const chain = [error];
  for (const one of chain) {
    const { cause, errors } = Object(one);
    for (const next of [cause, ...(Array.isArray(errors) ? errors.slice(0, CAUSES) : [])])
      if (next && chain.length < CAUSES && !chain.includes(next)) chain.push(next);
  }
  return chain.map(thrownOf);
}

/** Anything may be thrown: what is no error is known by its type, and says what it says as a text. */
function thrownOf(error: unknown): Thrown {
  const { name = typeof error, message = error, stack = '' } = Object(error);
  const kind = String(name);
  const says = String(message);
  // Chromium writes both in front of the frames, and a message may look like one.
  return { kind, message: says, frames: framesOf(String(stack).replace(`${kind}: ${says}`, () => '')) };
}
