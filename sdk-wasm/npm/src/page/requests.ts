/** `$request` of the page's own fetch and XHR, when it is asked for: what the latency view is made of. */
import type { RequestFacts } from '../api';
import type { Inside } from '../inside';
import { hear, quietly } from './hearing';
import { captureRequest } from './request';

/** Tells how a request ended: with a status, or with 0 and why there is none. */
type Ended = (status: number, error?: string) => void;

/** Begins to time a request, if it is one of those that are timed. */
type Begin = (method: string, address: string) => Ended | undefined;

export function watchRequests(client: Inside): void {
  const { requests } = client.options_;
  // The page's own origin, or what the option lists, relative to the page.
  const wanted = (Array.isArray(requests) ? requests : ['/']).map((one) => new URL(one, location.href).href);
  const own = [client.host_ + '/v1/batch', client.host_ + '/sdk/v1/'];
  const begin: Begin = (method, address) => {
    const url = new URL(address, location.href).href;
    const begins = (prefix: string): boolean => url.startsWith(prefix);
    if (!wanted.some(begins) || own.some(begins)) return undefined;
    const started = performance.now();
    return (status, error) =>
      quietly(() => {
        const duration_ms = Math.round((performance.now() - started) * 1e4) / 1e4;
        const answer = status ? { status, duration_ms } : { duration_ms, error };
        captureRequest(client, { method: method.toUpperCase(), url, ...answer } as RequestFacts);
      });
  };
  wrapFetch(begin);
  wrapXhr(begin);
}

/** The page gets the answer, or the error, that it would have got. */
function wrapFetch(begin: Begin): void {
  const original = window.fetch;
  window.fetch = function (this: Window, ...given: Parameters<typeof fetch>) {
    let ended: Ended | undefined;
    quietly(() => {
      const [target, init] = given;
      const request = target as Partial<Request>;
      ended = begin(init?.method ?? request.method ?? 'GET', request.url ?? String(target));
    });
    const answer = original.apply(this, given);
    if (!ended) return answer;
    // Another promise than the browser's: a rejection that nobody handles is still the page's to hear of.
    return answer.then(
      (response) => {
        ended?.(response.status);
        return response;
      },
      (error: unknown) => {
        ended?.(0, String(error));
        throw error;
      },
    );
  };
}

function wrapXhr(begin: Begin): void {
  const { prototype } = XMLHttpRequest;
  const { open } = prototype;
  const opened = new WeakMap<XMLHttpRequest, Parameters<Begin>>();
  prototype.open = function (this: XMLHttpRequest, ...given: unknown[]) {
    quietly(() => {
      if (!opened.has(this)) hearXhr(this, () => begin(...(opened.get(this) ?? ['', ''])));
      opened.set(this, [String(given[0]), String(given[1])]);
    });
    return open.apply(this, given as Parameters<typeof open>);
  };
}

/** Hears of each answer's head, or of its end without one; of the first of them alone. */
function hearXhr(xhr: XMLHttpRequest, sent: () => Ended | undefined): void {
  let ended: Ended | undefined;
  const heard = ({ type }: Event): void => {
    if (type === 'loadstart') ended = sent();
    else if (xhr.status || type !== 'readystatechange') {
      ended?.(xhr.status, type);
      ended = undefined;
    }
  };
  for (const type of ['loadstart', 'readystatechange', 'error', 'abort', 'timeout']) hear(type, heard, xhr);
}
