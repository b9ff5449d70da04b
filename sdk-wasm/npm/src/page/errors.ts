/** `$exception` of errors and rejected promises that nobody caught. */
import type { Properties } from '../api';
import type { Inside } from '../inside';
import { chainOf, exceptionProperties, isNews } from './exception';
import { hear, onLeave } from './hearing';
import { framesOf } from './stack';

/** Errors told in a minute: a loop that fails must not fill the person's queue, and ten show what it is. */
const PER_MINUTE = 10;
const MINUTE_MS = 60_000;

/** Nothing is known of these, or nothing is wrong: an error of another origin's script, and a busy ResizeObserver. */
const NOISE = /^Script error|^ResizeObserver loop/;

/** The engine file, if it is one: a bundler may have put it into the page's own. */
const SELF = /^.*\/engine[^/]*\.js$/.exec(framesOf(String(new Error().stack))[0]?.file ?? '')?.[0];

export function watchErrors(client: Inside): void {
  const stub = client.host_ + '/sdk/v1/';
  const isOurs = (file = ''): boolean => file === SELF || file.startsWith(stub);
  const tell = limited(client);
  const met = (error: unknown): void => {
    const thrown = chainOf(error);
    const hadFrames = thrown[0]?.frames?.[0];
    for (const one of thrown) one.frames = one.frames?.filter(({ file }) => !isOurs(file)) ?? [];
    // All of its places are ours: Trailmark's own error. If only some are, a call of the page's went through a wrapper.
    if (hadFrames && !thrown[0]?.frames?.[0]) return;
    if (isNews(client, error)) tell({ $pathname: location.pathname, ...exceptionProperties({ thrown }) });
  };
  hear<ErrorEvent>('error', ({ error, message, filename, lineno, colno }) => {
    const stack = `@${filename}:${lineno}:${colno}`; // as Firefox would write it
    // Without a message it is the event of an element whose file did not load.
    if (error || (message && !NOISE.test(message))) met(error || { name: 'Error', message, stack });
  });
  hear<PromiseRejectionEvent>('unhandledrejection', ({ reason }) => met(reason));
}

/** Tells {@link PER_MINUTE}; the next one, or at the page's end the last of the others, says how many were left out. */
function limited(client: Inside): (properties: Properties) => void {
  let [since, count, leftOut] = [0, 0, 0];
  let last: Properties = {};
  const tell = (properties: Properties): void => {
    client.record_('$exception', { ...properties, $exceptions_left_out: leftOut || undefined });
    leftOut = 0;
  };
  onLeave(client, () => {
    if (!leftOut) return;
    leftOut -= 1;
    tell(last);
  });
  return (properties) => {
    const now = client.now_();
    if (Math.abs(now - since) >= MINUTE_MS) [since, count] = [now, 0];
    count += 1;
    if (count <= PER_MINUTE) return tell(properties);
    leftOut += 1;
    last = properties;
  };
}
