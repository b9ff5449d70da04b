/** `$pageview` of each route of a page that changes its address by itself, and `$pageleave` of each view. */
import type { Inside } from '../inside';
import { hear, navigation, onLeave, onReturn, quietly } from './hearing';

/** A page that scrolls is measured at most 4 times a second, in a task of its own, never while it scrolls. */
const MEASURE_MS = 250;

/** A view, from its `$pageview` on. Times are the page's, in milliseconds. */
interface View {
  route_: string;
  started_: number;
  /** The lowest pixel that was seen. */
  seen_: number;
  height_: number;
  left_?: boolean;
}

/**
 * What makes an address another page: its path, and the path in its hash (`#/cart`, `#!/cart`). Neither the query nor
 * an anchor: a filter or a table of contents is not another page.
 */
export function routeOf(address: { pathname: string; hash: string }): string {
  return address.pathname + (/^#!?\/[^?]*/.exec(address.hash) ?? '');
}

/** The stub has recorded the view of the address at which the page was loaded. */
export function watchViews(client: Inside): void {
  const { pageviews = true, pageLeaves = true } = client.options_;
  if (!pageviews && !pageLeaves) return;

  let view = begun(routeOf(new URL(client.landing_)), navigation().activationStart ?? 0);
  let measuring: number | undefined;

  const measure = (): void => {
    measuring = undefined;
    view.seen_ = Math.max(view.seen_, scrollY + innerHeight);
    view.height_ = document.documentElement.scrollHeight;
  };
  const measureSoon = (): void => {
    measuring ??= setTimeout(measure, MEASURE_MS);
  };
  const leave = (): void => {
    if (pageLeaves && !view.left_) client.record_('$pageleave', left(view, performance.now()));
    view.left_ = true;
  };
  const enter = (): void => {
    view = begun(routeOf(location), performance.now());
    measureSoon();
    if (pageviews) client.page();
  };
  const moved = (): void => {
    if (routeOf(location) === view.route_) return;
    leave();
    enter();
  };

  wrap('pushState', moved);
  wrap('replaceState', moved);
  hear('popstate', moved); // of hashes, too
  hear('scroll', measureSoon);
  onLeave(client, leave);
  onReturn(enter);
  measureSoon();
  moved(); // while this file was on its way
}

function begun(route_: string, started_: number): View {
  return { route_, started_, seen_: 0, height_: 0 };
}

/** What `$pageleave` says, under PostHog's names; the duration in seconds, the share of 1. */
export function left(view: View, now: number): Record<string, unknown> {
  return {
    $prev_pageview_pathname: view.route_,
    $prev_pageview_duration: Math.round(now - view.started_) / 1000,
    // Not measured yet: it was left at once.
    ...(view.height_ && {
      $prev_pageview_max_content_percentage: Math.min(1, Math.round((view.seen_ / view.height_) * 1e4) / 1e4),
    }),
  };
}

/** The page's call is made first, with its result or its error; others may have wrapped it before, and may after. */
function wrap(name: 'pushState' | 'replaceState', moved: () => void): void {
  const original = history[name];
  history[name] = function (this: History, ...given: Parameters<History['pushState']>): void {
    original.apply(this, given);
    quietly(moved);
  };
}
