/** A tab with the engine: the stub says who and when, the engine numbers, keeps and sends. */
import { answerOf } from './answer';
import { CALLS } from './calls';
import { foreignRecord } from './capture';
import { KEY, newClient, SDK, type Client } from './client';
import type { Settings, Step, With } from './file';
import type { Make } from './run';
import type { Engine, Engines } from './wasm';
import { counting, storage, table, type Random, type Table } from './world';

/** A device: its world, which outlives a restart, and what runs in it, which does not. */
interface Tab {
  engines: Engines;
  settings: Settings;
  /** Whether what is stored outlives a restart. */
  lasting: boolean;
  now: number;
  random: Random;
  storage: ReturnType<typeof storage>;
  table: Table;
  /** When the table failed, if it was not written to since. */
  failed: number | undefined;
  client: Client;
  engine: Engine;
  /** The latest request, also when it has ended. */
  request: string;
  flushes: number[];
  /** What became of the latest record. */
  taken: string | undefined;
}

/** Makes tabs whose engine is of this wasm. */
export const withEngine =
  (engines: Engines): Make =>
  (settings, lasting, now) => {
    const tab = { engines, settings, lasting, now, random: counting() } as Tab;
    start(tab);
    return {
      step(step, now) {
        tab.now = now;
        const outcome = take(tab, step);
        keep(tab);
        conserved(tab.engine);
        return outcome;
      },
    };
  };

/** The process begins, perhaps on what the last one has left behind. */
function start(tab: Tab): void {
  if (tab.storage === undefined || !tab.lasting) [tab.storage, tab.table] = [storage(), table()];
  const world = { now_: () => tab.now, random_: tab.random, storage_: tab.storage.values };
  tab.client = newClient(tab.settings, world);
  const host = { random: (bytes: Uint8Array) => bytes.set(tab.random(bytes.length)) };
  tab.engine = tab.engines.open(host, JSON.stringify(engineSettings(tab)), tab.table.text(), tab.now);
  keep(tab);
  [tab.flushes, tab.request] = [[], ''];
  tab.client.inside.take_ = (_, record) => taken(tab, record);
  Object.assign(tab.client.inside, { deleteMyData: () => erase(tab) });
}

/** How long a table that failed is left alone. */
const RETRY_MS = 10_000;

/** What a tab's driver does at the end of a task. */
function keep(tab: Tab): void {
  const { engine, failed, now, table } = tab;
  if (failed !== undefined && now < failed + RETRY_MS) return;
  const error = table.write(engine.changes());
  tab.failed = error === undefined ? undefined : now;
  engine.kept(error);
}

/** Who it is, the stub has decided; the context is in the records. */
function engineSettings({ settings, client }: Tab): Settings {
  const { context: _, ...rest } = settings;
  const { i, a } = client.inside.who_();
  return { ...rest, write_key: KEY, sdk_name: SDK, install_id: i, anonymous_id: a };
}

/** What a tab's driver does with a record: one that begins with `!` is a refusal. */
function taken(tab: Tab, record: string): string | undefined {
  const reason = record.startsWith('!') ? record.slice(1) : undefined;
  if (reason !== undefined) tab.engine.refuse(reason, tab.now);
  const refused = reason ?? tab.engine.capture(record, tab.now);
  tab.taken = JSON.stringify(refused === undefined ? (JSON.parse(record) as { id: string }).id : { refused });
  return refused;
}

/** The person is forgotten, and how many sessions there were, and has opted out; the engine is told whom the server shall forget. */
function erase({ client: { inside, front }, engine, now }: Tab): void {
  const { a, u } = inside.who_();
  front.reset();
  inside.save_({ ...inside.who_(), n: 0, o: 1 });
  engine.delete_my_data(JSON.stringify({ anonymous_id: a, user_id: u }), now);
}

/** After every step `captured = delivered + dropped + queued` holds. */
function conserved(engine: Engine): void {
  const { captured, delivered, dropped, queued } = JSON.parse(engine.stats()) as Seen;
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  if (captured !== delivered + lost + queued) throw new Error(`not conserved: ${engine.stats()}`);
}

interface Seen {
  captured: number;
  delivered: number;
  queued: number;
  dropped: { [reason: string]: number };
}

function take(tab: Tab, step: Step): string | undefined {
  const call = CALLS[step.verb];
  if (call !== undefined) {
    tab.taken = undefined;
    call(tab.client, step.with);
    tab.engine.set_opted_out(tab.client.front.isOptedOut(), tab.now);
    return tab.taken;
  }
  const verb = VERBS[step.verb];
  if (verb === undefined) throw new Error(`no verb ${step.verb}`);
  return verb(tab, step);
}

const VERBS: { [verb: string]: (tab: Tab, step: Step) => string | undefined } = {
  stats: (tab, step) => stats(tab, step.expect ?? '{}'),
  identity: (tab) => identity(tab),
  notices: (tab) => notices(tab),
  report: (tab) => report(tab),
  capture: (tab, step) => capture(tab, step.with),
  poll: (tab) => poll(tab),
  answer: (tab, step) => answer(tab, step),
  restart: (tab, step) => restart(tab, step.with),
  storage: (tab, step) => fail(tab, step.with.fails as string | undefined),
  close: (tab) => void tab.engine.close(tab.now),
  hurry: (tab) => void tab.engine.hurry(),
  flush: (tab) => void tab.flushes.push(tab.engine.flush(tab.now)),
  wait: () => undefined,
};

/** Somebody who has opted out draws nothing. */
function capture(tab: Tab, given: With): string | undefined {
  const draw = tab.client.front.isOptedOut() ? undefined : tab.random;
  taken(tab, foreignRecord(given, tab.settings, tab.now, draw));
  return tab.taken;
}

function fail(tab: Tab, why: string | undefined): undefined {
  tab.table.fail(why);
  tab.storage.fail(why);
}

/**
 * What the file names, in its order. What a page ignores is counted by the stub; whether rows outlive the page is for
 * the host to know.
 */
function stats(tab: Tab, expect: string): string {
  const all = JSON.parse(tab.engine.stats()) as { [name: string]: unknown };
  all.ignored = (all.ignored as number) + tab.client.inside.ignored_;
  if (!tab.lasting && all.storage === 'saved') all.storage = 'memory';
  const names = Object.keys(JSON.parse(expect) as object);
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, all[name] ?? null])));
}

function identity(tab: Tab): string {
  const { a, u, s } = tab.client.inside.who_();
  return JSON.stringify({
    install_id: tab.engine.install_id(),
    anonymous_id: a,
    user_id: u ?? null,
    session_id: s?.[0] ?? null,
    session_seq: s?.[1] ?? null,
  });
}

function notices(tab: Tab): string {
  const told = JSON.parse(tab.engine.notices()) as { kind: string; detail?: string }[];
  return JSON.stringify(told.map(({ kind, detail }) => (detail ? `${kind}: ${detail}` : kind)));
}

function report(tab: Tab): string {
  const oldest = tab.flushes[0];
  const report = oldest === undefined ? undefined : tab.engine.report(oldest);
  if (report !== undefined) tab.flushes.shift();
  return report ?? 'null';
}

/** What a poll says that has a request to send. */
const READY = -1;

function poll(tab: Tab): string {
  const due = tab.engine.poll(tab.now);
  if (due === Infinity) return '"idle"';
  if (due !== READY) return JSON.stringify({ wake: new Date(due).toISOString() });
  const request = JSON.parse(tab.engine.request()) as { id: string; path: string; headers: object };
  tab.request = request.id;
  const { path, headers } = request;
  return JSON.stringify({ send: { method: 'POST', path, headers, body: [tab.engine.body()] } });
}


/** Ends the latest request. */
function answer({ engine, request, now }: Tab, step: Step): undefined {
  const { status, body, retryAfter, date, why, timedOut } = answerOf(step);
  if (status === undefined) engine.failed(request, why, timedOut, now);
  else engine.answered(request, status, body, retryAfter, date, now);
}

/** The process ends wherever it is, and another one starts on the same storages. */
function restart(tab: Tab, given: With): undefined {
  tab.settings = (given.config as Settings | undefined) ?? tab.settings;
  tab.engine.free();
  start(tab);
}
