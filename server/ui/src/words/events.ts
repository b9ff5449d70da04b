/** Events in words. What they hold was sent by anybody: each piece is a text, of any length, and never more than that. */

export interface Happened {
  event: string;
  anonymous_id?: string | null | undefined;
  user_id?: string | null | undefined;
  properties?: Record<string, unknown> | null | undefined;
}

/** What happened, and in small print what is known about it. */
export interface Told {
  what: string;
  more: string;
}

/** More of a text than this says nothing in a line. */
const BRIEF_CHARS = 160;

/** The beginning of a text. */
export function brief(text: string, chars = BRIEF_CHARS): string {
  if (text.length <= chars) return text;
  const kept = [...text.slice(0, chars * 2 + 2)];
  return kept.length > chars ? `${kept.slice(0, chars - 1).join('')}…` : text;
}

/** A value as a short text; empty for what is not there. */
export function said(value: unknown): string {
  if (value == null) return '';
  return brief(typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value));
}

type Properties = Record<string, unknown>;

const words = (...pieces: string[]) => pieces.filter((piece) => piece !== '').join(' ');

/** The first exception of a chain. */
function exception(properties: Properties): { type: string; value: string } {
  const list = properties.$exception_list;
  const first = Array.isArray(list) && typeof list[0] === 'object' ? (list[0] as Properties | null) : null;
  return { type: said(first?.type), value: said(first?.value) };
}

const element = (properties: Properties) => said(properties.$el_name) || said(properties.$el_text) || 'something';

const KNOWN: Record<string, (properties: Properties, event: Happened) => Told> = {
  $pageview: (given) => ({
    what: words('Viewed', said(given.$pathname) || 'a page'),
    more: said(given.$title),
  }),
  $pageleave: (given) => ({
    what: words('Left', said(given.$prev_pageview_pathname) || 'the page'),
    more: given.$prev_pageview_duration == null ? '' : `after ${said(given.$prev_pageview_duration)} s`,
  }),
  $screen: (given) => ({ what: words('Saw the screen', said(given.$screen_name)), more: '' }),
  $exception: (given) => {
    const { type, value } = exception(given);
    return { what: words('Error:', type || 'unknown'), more: value };
  },
  $request: (given) => ({
    what: words(said(given.method), `${said(given.host)}${said(given.path)}`, '→', said(given.status) || 'no answer'),
    more: words(given.duration_ms == null ? '' : `${said(given.duration_ms)} ms`, said(given.error)),
  }),
  $identify: (_, event) => ({ what: words('Signed in as', said(event.user_id)), more: '' }),
  $alias: (_, event) => ({ what: words(said(event.user_id), 'got another id'), more: '' }),
  $set: () => ({ what: 'Something about the person was set', more: '' }),
  $group: (given) => ({ what: words('Joined', said(given.$group_type), said(given.$group_id)), more: '' }),
  $autocapture: (given) => ({
    what: words({ submit: 'Sent', change: 'Changed' }[said(given.$event_type)] ?? 'Clicked', element(given)),
    more: said(given.$pathname),
  }),
  $rageclick: (given) => ({ what: words('Clicked again and again on', element(given)), more: said(given.$pathname) }),
  $web_vitals: (given) => ({
    what: 'Speed of the page',
    more: ['LCP', 'INP', 'CLS', 'FCP', 'TTFB']
      .filter((name) => given[`$web_vitals_${name}_value`] != null)
      .map((name) => `${name} ${said(given[`$web_vitals_${name}_value`])}`)
      .join(' · '),
  }),
  $app_installed: (given) => ({ what: 'Installed the app', more: said(given.version) }),
  $app_updated: (given) => ({
    what: 'Updated the app',
    more: words(given.previous_version == null ? '' : `${said(given.previous_version)} →`, said(given.version)),
  }),
  $app_opened: (given) => ({ what: 'Opened the app', more: said(given.version) }),
  $app_backgrounded: () => ({ what: 'Left the app', more: '' }),
  $erase: () => ({ what: 'Asked to be erased', more: '' }),
};

/** Properties in a line, the first few that the app gave itself. */
function line(properties: Properties): string {
  const own = Object.entries(properties).filter(([name, value]) => !name.startsWith('$') && value !== null);
  return own
    .slice(0, 4)
    .map(([name, value]) => `${brief(name, 40)}: ${brief(said(value), 60)}`)
    .join(' · ');
}

/** An event in words: its own name, unless it is one of those with a meaning of their own. */
export function told(event: Happened): Told {
  const properties = event.properties ?? {};
  const known = Object.hasOwn(KNOWN, event.event) ? KNOWN[event.event] : undefined;
  return known ? known(properties, event) : { what: event.event, more: line(properties) };
}
