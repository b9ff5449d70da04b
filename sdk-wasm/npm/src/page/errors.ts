/** `$exception` of errors and rejected promises that nobody caught. */
import type { Properties, Thrown } from '../api';
import type { Inside } from '../inside';
import { chainOf, exceptionProperties, isNews } from './exception';
import { hear } from './hearing';
import { framesOf } from './stack';

/** Errors told in a minute: a loop that fails must not fill the person's queue, and ten show what it is. */
const PER_MINUTE = 10;
const MINUTE_MS = 60_000;

/** Nothing is known of these, or nothing is wrong: an error of another origin's script, and a busy ResizeObserver. */
const NOISE = /^Script error|^ResizeObserver loop/;

/** This file, if it is Trailmark's engine and not part of the page's own bundle. */
const SELF = framesOf(String(new Error().stack))[0]?.file;

export function watchErrors(client: Inside): void {
  const stub = `${client.host_}/sdk/v1/`;
  const isOurs = (file = ''): boolean => file.startsWith(stub) || (file === SELF && /\/engine[^/]*\.js$/.test(file));
  const tell = limited(client);
  const met = (error: unknown, thrown: Thrown[]): void => {
    const theirs = thrown.map((one) => ({ ...one, frames: one.frames?.filter(({ file }) => !isOurs(file)) ?? [] }));
    // All of its places are ours: Trailmark's own error. Where only some are, the page's call went through a wrapper of ours.
    const isOwn = !!thrown[0]?.frames?.length && !theirs[0]?.frames.length;
    if (!isOwn && isNews(client, error)) tell({ $pathname: location.pathname, ...exceptionProperties({ thrown: theirs }) });
  };
  hear<ErrorEvent>('error', (event) => {
    // A file that did not load is an `Event` of its element.
    if (!(event instanceof ErrorEvent) || (!event.error && NOISE.test(event.message))) return;
    met(event.error, event.error ? chainOf(event.error) : [placed(event)]);
  });
  hear<PromiseRejectionEvent>('unhandledrejection', ({ reason }) => met(reason, chainOf(reason)));
}

/** What the browser says of an error that it does not hand over. */
function placed({ message, filename, lineno, colno }: ErrorEvent): Thrown {
  return {
    kind: 'Error',
    message,
    frames: filename ? framesOf(`@${filename}:${lineno}:${colno}`) : [],
  };
}

/** Tells {@link PER_MINUTE}; of the others the next one told says how many there were, at the page's end the last of them. */
function limited(client: Inside): (properties: Properties) => void {
  let [since, count, leftOut] = [0, 0, 0];
  let last: Properties = {};
  const tell = (properties: Properties): void => {
    client.record_('$exception', { ...properties, $exceptions_left_out: leftOut || undefined });
    leftOut = 0;
  };
  hear('pagehide', () => {
    if (!leftOut) return;
    leftOut -= 1;
    tell(last);
  });
  return (properties) => {
    const now = client.now_();
    if (now - since >= MINUTE_MS || now < since) [since, count] = [now, 0];
    count += 1;
    if (count <= PER_MINUTE) return tell(properties);
    leftOut += 1;
    last = properties;
  };
}
