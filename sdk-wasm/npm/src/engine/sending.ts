import type { Inside } from '../inside';
import type { Work } from './work';

/** How long an attempt may take as a whole: 30 s, as in the native client. */
const TIMEOUT_MS = 30_000;

/** The longest sleep: 5 min. A device's own sleep does not count towards a timer, so after it the clock is asked again. */
const MAX_SLEEP_MS = 5 * 60_000;

/** Bodies from 1 KiB on are compressed, as in the native client. */
const GZIP_FROM = 1024;

/** Most bytes of requests that outlive their page: 60 KiB. Browsers allow 64 KiB, and the page may have some of its own. */
const KEEPALIVE_BYTES = 60 * 1024;

/** Carries requests. */
export interface Sender {
  /** Does what the engine wants done; `leaving`: this task may be the page's last. */
  poll_(leaving?: boolean): void;
  /** Sends what is queued, without waiting for company. */
  hurry_(leaving?: boolean): void;
  /** The page ends: what is queued is sent as far as it fits, whether or not anybody will hear of the answer. */
  part_(): void;
}

/** What the engine says of a request. */
interface Wanted {
  id: string;
  path: string;
  headers: Record<string, string>;
}

/** The sender of an engine at work. */
export function sender(client: Inside, work: Work): Sender {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The request under way, and how many of its bytes outlive the page: all or none. */
  let underWay: { text_: string; kept_: number } | undefined;

  function poll(leaving?: boolean): void {
    clearTimeout(timer);
    const at = work.call_((engine, now) => engine.poll(now)) ?? Infinity;
    if (at < 0) void send(leaving);
    else if (at < Infinity) timer = setTimeout(poll, Math.min(Math.max(at - client.now_(), 0), MAX_SLEEP_MS));
  }

  async function send(leaving?: boolean): Promise<void> {
    const request = JSON.parse(work.call_((engine) => engine.request())!) as Wanted;
    const text = work.call_((engine) => engine.body())!;
    underWay = { text_: text, kept_: 0 };
    try {
      let body = new TextEncoder().encode(text);
      // Compressing takes tasks of their own, which a page that ends does not have.
      if (!leaving && body.length >= GZIP_FROM && 'CompressionStream' in self) {
        body = await gzip(body);
        request.headers['content-encoding'] = 'gzip';
      }
      underWay.kept_ = kept(body);
      const response = await post(client, request, body, underWay.kept_ > 0);
      const answer = await response.text();
      const header = (name: string) => response.headers.get(name) ?? undefined;
      work.call_((engine, now) => engine.answered(request.id, response.status, answer, header('retry-after'), header('date'), now));
    } catch (why) {
      const timedOut = (why as Error).name === 'TimeoutError';
      work.call_((engine, now) => engine.failed(request.id, String(why), timedOut, now));
    }
    underWay = undefined;
    work.touch_();
  }

  function hurry(leaving?: boolean): void {
    work.call_((engine) => engine.hurry());
    poll(leaving);
  }

  function part(): void {
    hurry(true);
    // What is under way and outlives the page needs no copy.
    const safe = underWay?.kept_ ? (JSON.parse(underWay.text_).batch.length as number) : 0;
    const stats = work.call_((engine) => engine.stats());
    if (!stats || JSON.parse(stats).queued <= safe) return;
    const copy = work.call_((engine) => engine.parting(KEEPALIVE_BYTES - (underWay?.kept_ ?? 0)));
    // A beacon has no headers, so it needs no question to another origin first.
    const sentAt = new Date(client.now_()).toISOString();
    if (copy) navigator.sendBeacon(`${client.host_}/v1/batch?key=${encodeURIComponent(client.key_)}&sent_at=${sentAt}`, copy);
  }

  return { poll_: poll, hurry_: hurry, part_: part };
}

/** The bytes of a body that outlives its page; none if it does not. */
function kept(body: Uint8Array): number {
  return 'keepalive' in Request.prototype && body.length <= KEEPALIVE_BYTES ? body.length : 0;
}

/** An attempt. A redirect is no answer: the events would go where nobody has sent them. */
function post(client: Inside, { path, headers }: Wanted, body: Uint8Array<ArrayBuffer>, keepalive: boolean): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const init: RequestInit = { method: 'POST', headers, body, keepalive, signal, credentials: 'omit', redirect: 'error', priority: 'low' };
  return fetch(client.host_ + path, init);
}

async function gzip(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
