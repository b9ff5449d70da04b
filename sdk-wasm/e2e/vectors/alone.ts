/**
 * A tab without the engine: the plain sender numbers the stub's records and sends them.
 *
 * It has a mind of its own about company, bounds and waits. So what is compared is, for files that need none of it, the whole
 * request; for the others each event that a request of the file carries: the same bytes, but for the number, in the same
 * order, at each attempt.
 */
import type { Numbers } from '../../npm/src/inside';
import { answerOf, drawnFor, receiptOf, type Answer } from './answer';
import { CALLS } from './calls';
import { besideOf, foreignRecord } from './capture';
import { newClient, type Client } from './client';
import type { Settings, Step, With } from './file';
import { eventsOf, expected, idOf, numbered, unnumbered } from './request';
import type { Make } from './run';
import { ordered, repaired } from './text';
import { settled, timers, type Timers } from './timers';
import { counting, storage, type Random } from './world';

/** A request that the stub has made, and what ends it. */
interface Request {
  path: string;
  headers: { [name: string]: string };
  body: string;
  /** Its events, as they are written, without numbers. */
  events: string[];
  /** Those of them that the file has in its request: their places. */
  asked: number[];
  end: (answer: Response) => void;
  fail: (why: Error) => void;
}

interface Tab {
  /** Whether whole requests are compared. */
  whole: boolean;
  settings: Settings;
  lasting: boolean;
  now: number;
  random: Random;
  storage: ReturnType<typeof storage>;
  timers: Timers;
  client: Client;
  /** On its way. */
  open: Request | undefined;
  /** The id of the file's latest request. */
  request: string;
}

/** Makes tabs of the stub alone. */
export const alone =
  (whole: boolean): Make =>
  (settings, lasting, now) => {
  const tab = { whole, settings, lasting, now, random: counting() } as Tab;
  start(tab);
  return {
    async step(step, now) {
      tab.now = now;
      const call = CALLS[step.verb];
      if (call === undefined) return VERBS[step.verb]?.(tab, step);
      const make = (): void => call(tab.client, step.with);
      const reason = leftToOthers(step);
      if (reason === undefined) make();
      else refused(tab, make, reason);
      return undefined;
    },
  };
};

/** What the stub leaves to whoever takes its events, the engine or the server: the limits of events. */
const LIMITS = ['missing_name', 'name_too_long', 'too_large', 'too_deep', 'too_many_properties', 'incomplete_identity'];

/** Why an event of a file is refused, if the stub leaves that to others. Of an alias it knows nothing. */
function leftToOthers({ verb, expect = '' }: Step): string | undefined {
  const reason = refusal(expect);
  return verb === 'alias' || LIMITS.includes(reason ?? '') ? reason : undefined;
}

function refusal(expect: string): string | undefined {
  return /^\{"refused":"(.*)"\}$/.exec(expect)?.[1];
}

/** Makes a call whose event is refused by others. The test plays who refuses it, so that the rest of the file means the same. */
function refused({ client }: Tab, call: () => void, reason: string): void {
  const { inside } = client;
  inside.take_ = (id) => {
    inside.store_.set_(`q.${id}`, `!${reason}`);
    return reason;
  };
  call();
  inside.take_ = undefined;
}

/** The page begins, with the lock and without an engine. */
function start(tab: Tab): void {
  if (tab.storage === undefined || !tab.lasting) tab.storage = storage();
  [tab.open, tab.timers] = [undefined, timers()];
  tab.client = newClient(tab.settings, {
    now_: () => tab.now,
    random_: tab.random,
    storage_: tab.storage.values,
    fetch_: (url, init) => made(tab, url as string, init ?? {}),
  });
  Object.assign(tab.client.inside, { plain_: true, holds_: true });
}

function made(tab: Tab, url: string, { headers, body }: RequestInit): Promise<Response> {
  const events = eventsOf(body as string).map(repaired).map(unnumbered);
  const path = url.replace(/^https:..[^/]*/, '');
  return new Promise((end, fail) => {
    const said = headers as { [name: string]: string };
    tab.open = { path, headers: said, body: body as string, events, asked: [], end, fail };
  });
}

const VERBS: { [verb: string]: (tab: Tab, step: Step) => Promise<string | undefined> | string | undefined } = {
  identity: (tab) => identity(tab),
  stats: (tab, step) => stats(tab, step),
  capture: (tab, step) => capture(tab, step),
  poll: (tab, step) => (step.expect?.includes('"send"') ? send(tab, step.expect) : undefined),
  answer: (tab, step) => answer(tab, step),
  restart: (tab, step) => restart(tab, step.with),
};

/** The install is the sender's once it has numbered something; before, whoever numbers first takes it. */
function identity({ client }: Tab): string {
  const { who_, store_ } = client.inside;
  const { i, a, u, s } = who_();
  return JSON.stringify({
    install_id: (JSON.parse(store_.get_('n') ?? '{}') as { i?: string }).i ?? i,
    anonymous_id: a,
    user_id: u ?? null,
    session_id: s?.[0] ?? null,
    session_seq: s?.[1] ?? null,
  });
}

/** What waits, and what was lost and why. The rest is not the stub's to know. */
function stats({ client }: Tab, { expect }: Step): string {
  const { store_ } = client.inside;
  const records = store_.keys_('q.').map((key) => store_.get_(key) ?? '');
  const waiting = [...records.filter((text) => !text.startsWith('!')), ...store_.keys_('s.')];
  const counted = (JSON.parse(store_.get_('n') ?? '{"dropped":{}}') as Numbers).dropped;
  const dropped = { ...counted };
  for (const reason of records.filter((text) => text.startsWith('!')).map((text) => text.slice(1))) {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  }
  const sorted = Object.fromEntries(Object.entries(dropped).sort());
  return JSON.stringify({ ...(JSON.parse(expect ?? '{}') as object), dropped: sorted, queued: waiting.length });
}

/** An event that another tab has left in the shared store, or why it did not. */
function capture({ client, settings, now, random }: Tab, { with: given, expect = '' }: Step): undefined {
  const { store_ } = client.inside;
  if (client.front.isOptedOut()) return;
  const record = JSON.parse(foreignRecord(given, settings, now, random)) as { id: string };
  record.id = besideOf(record.id, store_.keys_('q.').at(-1)?.slice(2));
  const reason = refusal(expect);
  store_.set_(`q.${record.id}`, reason === undefined ? JSON.stringify(record) : `!${reason}`);
}

/** The request that the file expects now, with the stub's events in it. What else it has sent, the file sends later. */
async function send(tab: Tab, expect: string): Promise<string> {
  if (tab.open === undefined) tab.timers.run();
  if (tab.open === undefined) void tab.client.inside.send_();
  await settled();
  const { open } = tab;
  if (open === undefined) return '"nothing"';
  const file = expected(expect);
  // The core draws the id of a request.
  if (file.id !== tab.request) tab.random(10);
  tab.request = file.id;
  open.asked = file.events.map((event) => open.events.findIndex((sent) => idOf(sent) === idOf(event)));
  const events = file.events.map((event, at) => numbered(open.events[open.asked[at] ?? -1], event));
  return tab.whole ? shown(open) : file.saying(events, open.headers);
}

function shown({ path, headers, body }: Request): string {
  return JSON.stringify({ send: { method: 'POST', path, headers, body: [ordered(repaired(body))] } });
}

/** Ends the latest request, unless it has ended. */
async function answer(tab: Tab, step: Step): Promise<undefined> {
  const { open } = tab;
  if (open === undefined) return;
  tab.open = undefined;
  const answer = answerOf(step);
  tab.random(drawnFor(answer));
  if (answer.status === undefined) open.fail(new Error(answer.why));
  else open.end(response(answer.status, { ...answer, body: forStub(answer, open) }));
  await settled();
}

/**
 * The file's answer, for the request that was made: of those events that the file has not in its request nothing is said,
 * so they are wanted again.
 */
function forStub({ body }: Answer, { events, asked }: Request): string {
  const receipt = receiptOf(body);
  if (receipt === undefined) return body;
  const results = receipt.results.map((result) => ({ ...result, index: asked[result.index] ?? result.index }));
  const others = events.flatMap((_, index) => (asked.includes(index) ? [] : [{ index, result: 'retry', reason: 'storage' }]));
  return JSON.stringify({ ...receipt, results: [...results, ...others] });
}

/** As much of a response as the stub reads, without a stream, so that no time passes. */
function response(status: number, { body, retryAfter, date }: Answer): Response {
  const headers = new Headers();
  if (retryAfter !== undefined) headers.set('retry-after', retryAfter);
  if (date !== undefined) headers.set('date', date);
  const json = async (): Promise<unknown> => JSON.parse(body);
  return { ok: status >= 200 && status < 300, status, headers, json } as unknown as Response;
}

/** The page ends wherever it is, and another one begins on the same localStorage. */
function restart(tab: Tab, given: With): undefined {
  tab.settings = (given.config as Settings | undefined) ?? tab.settings;
  start(tab);
}
