/** A tab without the engine: the stub's plain sender numbers and sends. Its requests are what can be seen of it. */
import type { Stub } from '../../npm/src/world';
import { answerOf, drawnFor, type Answer } from './answer';
import { CALLS } from './calls';
import { besideOf, foreignRecord } from './capture';
import { newClient } from './client';
import type { Settings, Step, With } from './file';
import type { Make } from './run';
import { asTheEngineSays } from './text';
import { settled, timers, type Timers } from './timers';
import { counting, storage, type Random } from './world';

/** A request that the sender has made, and what ends it. */
interface Request {
  path: string;
  headers: { [name: string]: string };
  body: string;
  end: (answer: Response) => void;
  fail: (why: Error) => void;
  ended: boolean;
}

interface Tab {
  settings: Settings;
  lasting: boolean;
  now: number;
  random: Random;
  storage: ReturnType<typeof storage>;
  timers: Timers;
  client: Stub;
  /** Made and not yet asked for by the file. */
  made: Request[];
  /** The latest that the file has asked for. */
  latest: Request | undefined;
}

/** What the stub leaves to whoever takes its events, the engine or the server: their limits. */
const LIMITS = ['missing_name', 'name_too_long', 'too_large', 'too_deep', 'too_many_properties', 'incomplete_identity'];

/** Makes a call whose event is beyond a limit. The test plays who refuses it, so that the rest of the file means the same. */
function refused({ client }: Tab, call: () => void, reason: string): void {
  client.take_ = (id) => {
    client.store_.set_(`q.${id}`, `!${reason}`);
    return reason;
  };
  call();
  client.take_ = undefined;
}

/** Makes tabs of the stub alone. */
export const alone: Make = (settings, lasting, now) => {
  const tab = { settings, lasting, now, random: counting() } as Tab;
  start(tab);
  return {
    async step(step, now) {
      tab.now = now;
      const call = CALLS[step.verb];
      if (call === undefined) return VERBS[step.verb]?.(tab, step);
      const make = (): void => call(tab.client, step.with);
      const reason = LIMITS.find((reason) => step.expect === `{"refused":"${reason}"}`);
      if (reason === undefined) make();
      else refused(tab, make, reason);
      return undefined;
    },
  };
};

/** The page begins, with the lock and without an engine. Its sender's install is given the id that the engine would have. */
function start(tab: Tab): void {
  if (tab.storage === undefined || !tab.lasting) tab.storage = storage();
  [tab.made, tab.latest, tab.timers] = [[], undefined, timers()];
  tab.client = newClient(tab.settings, {
    now_: () => tab.now,
    random_: tab.random,
    storage_: tab.storage.values,
    fetch_: (url, init) => made(tab, url as string, init as RequestInit),
  });
  const { client } = tab;
  [client.plain_, client.holds_] = [true, true];
  if (client.store_.get_('n') === null) {
    client.store_.set_('n', JSON.stringify({ i: client.who_().i, captured: 0, delivered: 0, dropped: {} }));
  }
}

function made(tab: Tab, url: string, { headers, body }: RequestInit): Promise<Response> {
  return new Promise((end, fail) => {
    const path = url.replace(/^https:\/\/[^/]*/, '');
    tab.made.push({ path, headers: headers as { [name: string]: string }, body: body as string, end, fail, ended: false });
  });
}

const REQUEST_ID = 'trailmark-request-id';

const VERBS: { [verb: string]: (tab: Tab, step: Step) => Promise<string | undefined> | string | undefined } = {
  identity: (tab) => identity(tab),
  poll: (tab, step) => (step.expect?.includes('"send"') ? send(tab) : undefined),
  capture: (tab, step) => capture(tab, step.with),
  answer: (tab, step) => answer(tab, step),
  restart: (tab, step) => restart(tab, step.with),
};

/** `install_id` is the sender's. */
function identity({ client }: Tab): string {
  const { a, u, s } = client.who_();
  return JSON.stringify({
    install_id: (JSON.parse(client.store_.get_('n') ?? '{}') as { i: string }).i,
    anonymous_id: a,
    user_id: u ?? null,
    session_id: s?.[0] ?? null,
    session_seq: s?.[1] ?? null,
  });
}

/**
 * The request that the file expects now. Where the engine would have waited for company or for an attempt, the sender may
 * have made it before, or waits for a timer.
 */
async function send(tab: Tab): Promise<string> {
  if (tab.made.length === 0) tab.timers.run();
  if (tab.made.length === 0) void tab.client.send_();
  await settled();
  const request = tab.made.shift();
  if (request === undefined) return '"nothing"';
  // The sender's own ids of requests are not drawn from the counting randomness; the core's are.
  if (request.headers[REQUEST_ID] !== tab.latest?.headers[REQUEST_ID]) tab.random(10);
  tab.latest = request;
  const { path, body } = request;
  const headers = { ...request.headers, 'trailmark-sent-at': new Date(tab.now).toISOString() };
  return JSON.stringify({ send: { method: 'POST', path, headers, body: [asTheEngineSays(body)] } });
}

/** An event that another tab has left in the shared store. */
function capture(tab: Tab, given: With): undefined {
  const { store_, isOptedOut } = tab.client;
  if (isOptedOut()) return;
  const record = JSON.parse(foreignRecord(given, tab.settings, tab.now, tab.random)) as { id: string };
  record.id = besideOf(record.id, store_.keys_('q.').at(-1)?.slice(2));
  store_.set_(`q.${record.id}`, JSON.stringify(record));
}

/** Ends the latest request, unless it has ended. What the sender does next it does at once. */
async function answer(tab: Tab, step: Step): Promise<undefined> {
  const answer = answerOf(step);
  const { latest } = tab;
  if (latest === undefined || latest.ended) return;
  latest.ended = true;
  tab.random(drawnFor(answer));
  if (answer.status === undefined) latest.fail(new Error(answer.why));
  else latest.end(response(answer as Answer & { status: number }));
  await settled();
}

/** As much of a response as the sender reads, without a stream, so that no time passes. */
function response({ status, body, retryAfter, date }: Answer & { status: number }): Response {
  const given = { 'retry-after': retryAfter, date };
  const headers = new Headers(Object.entries(given).flatMap(([name, value]) => (value ? [[name, value]] : [])) as [string, string][]);
  const text = async (): Promise<string> => body;
  const json = async (): Promise<unknown> => JSON.parse(body);
  return { ok: status >= 200 && status < 300, status, headers, text, json } as unknown as Response;
}

/** The page ends wherever it is, and another one begins on the same localStorage. */
function restart(tab: Tab, given: With): undefined {
  tab.settings = (given.config as Settings | undefined) ?? tab.settings;
  start(tab);
}
