import type { FlushReport, Notice, Properties, RequestFacts, Stats } from '../api';
import type { Inside, Numbers } from '../inside';
import { captureException, captureRequest } from '../page';
import type { Holding } from './holding';
import { recorded } from './inbox';
import { bothReports, browserStats, plainReport } from './report';
import { engineStats, NOTHING, type Tickets } from './tickets';

/** What answers the calls of this page that the stub cannot, and those that other tabs ask of the one that sends. */
export interface Answers {
  /** Calls of this page. */
  here_: { [method: string]: (...args: never[]) => unknown };
  /** A question of another tab, to this one, which sends. */
  forAll_(method: string, args: unknown[]): Promise<unknown>;
  notice_(notice: Notice): void;
}

/** The records of a tab: it brings them along, because its localStorage may be ahead of the asked one's. */
type Entries = [id: string, record: string][];

/** Answers of a client. `ask` asks the tab that sends; it rejects if there is none. */
export function answers(client: Inside, holding: Holding, tickets: Tickets, ask: (method: string, args: unknown[]) => Promise<unknown>): Answers {
  const { store_: store } = client;

  async function flush(entries: Entries): Promise<FlushReport> {
    await holding.ready_();
    const work = holding.work_();
    entries.forEach(([id, record]) => work?.inbox_.adopt_(id, record));
    await work?.inbox_.empty_();
    const before = numbers(client);
    const sent = client.send_();
    const report = work ? await tickets.flush_(work) : NOTHING;
    await sent;
    return bothReports(report, plainReport(before, numbers(client), lengths(client, holding).length));
  }

  async function stats(): Promise<Stats> {
    await holding.ready_();
    return known(holding.work_() ? 'engine' : 'plain');
  }

  function known(sender_: Stats['sender']): Stats {
    const work = holding.work_();
    const engine_ = engineStats(work);
    const error = work?.rows_.error_();
    const stats = browserStats({
      engine_,
      plain_: numbers(client),
      waiting_: lengths(client, holding),
      storage_: error ? 'failing' : store.lasting_ ? 'saved' : 'memory',
      optedOut_: client.isOptedOut(),
      ignored_: client.ignored_,
      sender_,
    });
    return error ? { ...stats, lastError: error } : stats;
  }

  /** What this tab knows by itself, because nobody answers. */
  function alone(method: string): unknown {
    return method === 'stats' ? known('other_tab') : { ...NOTHING, pending: lengths(client, holding).length };
  }

  function forAll(method: string, args: unknown[]): Promise<unknown> {
    return method === 'stats' ? stats() : flush(args as Entries);
  }

  async function anywhere(method: string): Promise<unknown> {
    if (client.holds_) return forAll(method, []);
    const entries: Entries = method === 'stats' ? [] : recorded(client).map((id) => [id, store.get_(`q.${id}`) ?? '']);
    const answer = await ask(method, entries).catch(() => (client.holds_ ? forAll(method, []) : alone(method)));
    // The rest of the numbers are the browser's, these are the page's.
    return method === 'stats' && !client.holds_ ? { ...(answer as Stats), sender: 'other_tab', ignored: client.ignored_ } : answer;
  }

  const calls: Answers['here_'] = {
    flush: () => anywhere('flush'),
    stats: () => anywhere('stats'),
    shutdown: () => anywhere('flush').finally(holding.stop_),
    deleteMyData() {
      const { a, u } = client.who_();
      client.reset();
      // Nor does anybody know how many sessions there were.
      client.save_({ ...client.who_(), n: 0 });
      client.optOut();
      holding.erase_(a, u);
    },
    captureException: (error: unknown, properties?: Properties) => captureException(client, error, properties),
    captureRequest: (request: RequestFacts, properties?: Properties) => captureRequest(client, request, properties),
  };

  return {
    here_: calls,
    forAll_: forAll,
    // A listener that throws must not keep the others from hearing it.
    notice_: (notice) => client.ears_.forEach((listener) => setTimeout(listener, 0, notice)),
  };
}

/** What the plain sender has done. */
function numbers(client: Inside): Numbers {
  return JSON.parse(client.store_.get_('n') ?? 'null') ?? { i: '', captured: 0, delivered: 0, dropped: {} };
}

/** The lengths of events that are numbered by the plain sender, and of records that nobody has numbered. */
function lengths(client: Inside, holding: Holding): number[] {
  const waiting = holding.work_()?.inbox_.waiting_() ?? recorded(client);
  const keys = client.store_.keys_('s.').concat(waiting.map((id) => `q.${id}`));
  return keys.map((key) => client.store_.get_(key)?.length ?? 0);
}
