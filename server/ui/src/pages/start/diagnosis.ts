import { brief } from '../../words/events';
import { type Meaning, ofCode, ofReason } from '../../words/refusals';
import { ofStranger } from '../../words/stranger';
import type { Arrival } from '../live/feed';
import type { Stranger } from '../live/use-strangers';

/** Somebody has started an app and looks here: after 15 s without an event they want to know why. */
export const PATIENCE_MS = 15_000;

/** Requests of so long ago may be this app's, started before the page was opened: 5 min. */
const LATELY_MS = 5 * 60_000;

/** Something that arrived, or did not, and what to do. */
export interface Finding {
  key: string;
  /** What arrived. */
  title: string;
  means: string;
  /** What to do, or to look at. */
  hints: string[];
  /** What exactly was wrong, in the server's words. */
  detail?: string;
  times: number;
}

export interface Evidence {
  refused: readonly Exclude<Arrival, { kind: 'event' }>[];
  strangers: readonly Stranger[];
  /** The project's write key, if it is at hand. */
  writeKey: string | null;
  /** Where this page is from: `https://analytics.example.com`. */
  origin: string;
  /** Whether who looks may see requests that belong to no project. */
  seesStrangers: boolean;
  now: number;
}

/** What did arrive instead of an event, and why that was refused: what is most likely this app first. */
export function diagnose(evidence: Evidence): Finding[] {
  const { strangers, now } = evidence;
  const lately = strangers.filter((request) => now - Date.parse(request.at) < LATELY_MS);
  const found = counted([
    ...evidence.refused.map(ofRefused),
    ...lately.map((request) => ofUnknown(request, evidence.writeKey)),
  ]);
  return found.length > 0 ? found : [nothing(evidence)];
}

/** The same finding several times is one, in the order of the first. */
function counted(findings: Omit<Finding, 'times'>[]): Finding[] {
  const byKey = new Map<string, Finding>();
  for (const finding of findings) {
    const known = byKey.get(finding.key);
    if (known) known.times += 1;
    else byKey.set(finding.key, { ...finding, times: 1 });
  }
  return [...byKey.values()];
}

function ofRefused(arrival: Exclude<Arrival, { kind: 'event' }>): Omit<Finding, 'times'> {
  if (arrival.kind === 'refused_event') {
    const { reason, detail, event } = arrival.data;
    const title =
      event == null ? 'An event arrived, and was refused' : `“${brief(event, 60)}” arrived, and was refused`;
    return { key: `event ${reason} ${event}`, title, detail, ...advice(ofReason(reason)) };
  }
  const { code, detail, status } = arrival.data;
  const title = `A request with this project’s key arrived, and was refused with ${status}`;
  return { key: `request ${code}`, title, detail, ...advice(ofCode(code)) };
}

function ofUnknown(request: Stranger, writeKey: string | null): Omit<Finding, 'times'> {
  const { means, hints } = advice(ofStranger(request));
  const asks = request.method === 'OPTIONS';
  const key = `stranger ${asks ? 'asks' : request.code} ${request.key_hint} ${request.origin}`;
  if (asks) return { key, title: 'A browser asked, and did not send', means, hints };
  const title = `A request arrived, and was refused with ${request.status}`;
  if (request.code !== 'unknown_key' || writeKey === null) return { key, title, means, hints };
  return { key, title, means, hints: [`The key of this project ends in …${writeKey.slice(-2)}.`, ...hints] };
}

const advice = ({ means, hint }: Meaning) => ({ means, hints: hint === '' ? [] : [hint] });

/** Nothing came, so it is about the way here. */
function nothing({ origin, seesStrangers }: Evidence): Finding {
  const { hostname, port, protocol } = new URL(origin);
  const local = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  const hints = [`Check that the app runs, and that it sends to ${origin}.`];
  if (local) {
    hints.push(
      `A phone or another machine means itself by ${hostname}: start the server with --listen 0.0.0.0:${port || '7700'}, and use its address in the network.`,
    );
  } else if (protocol === 'http:') {
    hints.push('Android and iOS send nothing over plain http, unless the app allows it.');
  }
  hints.push('In a web page, the browser’s console says if its Content-Security-Policy or a blocker is in the way.');
  return {
    key: 'nothing',
    title: 'Nothing has arrived at all',
    means: seesStrangers
      ? 'Neither an event, nor a request with a wrong key, nor a browser that asked.'
      : 'Neither an event, nor anything else with this project’s key. What came with a wrong key, admins see here.',
    hints,
    times: 1,
  };
}
