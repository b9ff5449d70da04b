/** The plain sender: numbers records with an install of its own, and sends them without the engine. */
import type { Stub } from './begin';
import { v7 } from './id';
import type { Numbers } from './inside';
import { fates, type Fate } from './receipt';

/** Most events in one request, and most characters of them: with its counters it stays below a keepalive's 64 KiB. */
const EVENTS = 100;
const CHARS = 6e4;
/** What a wait that the server asks for is at most: an hour. */
const LONGEST_WAIT_MS = 36e5;
/** A refused key is tried again after 15 minutes. */
const KEY_WAIT_MS = 9e5;

/** A request, the same on every attempt. */
type Open = { id: string; keys: string[]; ids: string[]; body: string; attempt: number };

/** Gives a client its `send_`. */
export function openSender(client: Stub): void {
  const store = client.store_;
  const sdk = client.options_.sdkName || 'trailmark-web/0.1.0';
  const beacon = client.beacon_ || ((url, body) => navigator.sendBeacon(url, body));
  const post = client.fetch_ || ((url, init) => fetch(url, init));
  const newId = () => v7(client.now_(), Array.from({ length: 10 }, () => Math.random() * 256));
  let open: Open | undefined;
  let busy = false;
  let waiting = false;
  let most = EVENTS;
  let failures = 0;

  const numbers = (): Numbers =>
    JSON.parse(store.get_('n') || 'null') || { i: install(client, newId), captured: 0, delivered: 0, dropped: {} };
  const save = (n: Numbers) => store.set_('n', JSON.stringify(n));
  const count = ({ dropped }: Numbers, reason: string) => (dropped[reason] = (dropped[reason] || 0) + 1);

  /** Numbers the oldest records: so many events, and the refusals among them. The numbers are saved first, so that none is
   * used twice. */
  const number = (events: number): void => {
    const n = numbers();
    const keys = store.keys_('q.').filter((key) => events > 0 && (store.get_(key)![0] == '!' || events--));
    const texts = keys.map((key) => store.get_(key)!);
    let seq = n.captured;
    n.captured += keys.length;
    texts.map((text) => text[0] == '!' && count(n, text.slice(1)));
    save(n);
    texts.map((text, at) => {
      seq++;
      if (text[0] != '!') store.set_('s.' + `${seq}`.padStart(10, '0'), text.replace(',', `,"seq":${seq},`));
      store.remove_(keys[at]!);
    });
  };

  /** The next request: the oldest events that are numbered. */
  const cut = (): Open | undefined => {
    const all = store.keys_('s.');
    if (!all[0]) return;
    let chars = 0;
    const keys = all.slice(0, most).filter((key, at) => (chars += store.get_(key)!.length) < CHARS || !at);
    const texts = keys.map((key) => store.get_(key)!);
    const { i, captured, dropped } = numbers();
    const counters = JSON.stringify({ captured, queued: all.length - keys.length, dropped });
    const body = `{"install_id":"${i}","batch":[${texts}],"counters":${counters}}`;
    return { id: newId(), keys, ids: texts.map((text) => text.slice(7, 43)), body, attempt: 0 };
  };

  const next = (): Open | undefined => {
    if (client.plain_) number(Math.max(0, most - store.keys_('s.').length));
    const request = open || cut();
    if (!request || !client.who_().o) return request;
    // The person has opted out meanwhile: nothing is tried again.
    settle(request, request.keys.map(() => 'opted_out'), 0);
    return next();
  };

  const wait = (ms: number): void => {
    waiting = true;
    setTimeout(() => {
      waiting = false;
      client.send_();
    }, ms);
  };
  /** The waits double from failure to failure, and spread between a tenth of their ceiling and the ceiling. */
  const backoff = (): number => Math.min(3e5, 1e3 * 2 ** failures++) * (0.1 + 0.9 * Math.random());

  const settle = ({ keys }: Open, verdicts: Fate[], pace: number): void => {
    const n = numbers();
    let again = 0;
    verdicts.map((verdict, at) => {
      if (verdict === 1) again++;
      // What is not there any more has been counted by another tab, which got the lock meanwhile.
      else if (store.get_(keys[at]!)) {
        store.remove_(keys[at]!);
        if (verdict === 0) n.delivered++;
        else count(n, verdict);
      }
    });
    save(n);
    open = undefined;
    most = Math.min(most * 2, EVENTS);
    if (!again) failures = 0;
    if (again || pace) wait(again ? backoff() : pace);
  };

  const attempt = async (request: Open): Promise<void> => {
    let status = 0;
    let asked = 0;
    let verdicts: Fate[] | undefined;
    let pace = 0;
    try {
      const answer = await post(client.host_ + '/v1/batch', {
        method: 'POST',
        body: request.body,
        keepalive: new Blob([request.body]).size < CHARS,
        signal: AbortSignal.timeout?.(3e4),
        headers: {
          'content-type': 'application/json',
          authorization: 'Bearer ' + client.key_,
          'trailmark-sdk': sdk,
          'trailmark-request-id': request.id,
          'trailmark-attempt': `${++request.attempt}`,
          'trailmark-sent-at': new Date(client.now_()).toISOString(),
        },
      });
      status = answer.status;
      asked = +answer.headers.get('retry-after')! * 1e3 || 0;
      const receipt = await answer.json();
      if (answer.ok) {
        pace = receipt.next_send_after_ms;
        verdicts = fates(receipt, request.ids);
      }
    } catch {
      // No answer, or none that is a receipt.
    }
    const gone = /^4(?!0[138]|29)/.test(`${status}`);
    if (status == 413 && request.keys[1]) {
      most = request.keys.length >> 1;
      open = undefined;
    } else if (gone) settle(request, request.keys.map(() => (status == 413 ? 'too_large' : 'request_rejected')), 0);
    else if (verdicts) settle(request, verdicts, pace);
    // The person has opted out meanwhile: nothing is tried again.
    else if (client.who_().o) settle(request, request.keys.map(() => 'opted_out'), 0);
    else wait(/40[13]/.test(`${status}`) ? KEY_WAIT_MS : Math.max(backoff(), Math.min(asked, LONGEST_WAIT_MS)));
  };

  client.send_ = async (leaving) => {
    // Whoever has the lock now may have sent it.
    if (leaving || !client.holds_) open = undefined;
    if (!client.holds_) return;
    if (leaving) {
      number(Infinity);
      const request = cut();
      if (request)
        beacon(client.host_ + `/v1/batch?key=${client.key_}&sent_at=${new Date(client.now_()).toISOString()}`, request.body);
    } else if (!busy) {
      busy = true;
      while (!waiting && (open = next())) await attempt(open);
      busy = false;
    }
  };
}

/** An install of its own: the id that nobody has taken, or another one. */
function install(client: Stub, newId: () => string): string {
  const who = client.who_();
  const i = who.t ? newId() : who.i;
  client.save_({ ...who, i, t: 1 });
  return i;
}
