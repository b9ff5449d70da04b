/** How the features listen: before everybody else, and without being able to hold the page up or break it. */

import type { Inside } from '../inside';

/**
 * Runs code of ours within a call or an event of the page. The page's own code goes on whatever happens in ours, and its
 * `error` listeners must not hear of it.
 */
export function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // Nobody to tell: a feature that fails captures nothing.
  }
}

/**
 * Listens at the window, or at `target`. Capturing, so that no `stopPropagation` hides an event, and so that what is
 * recorded when the page is hidden is there before it is sent. Passive: scrolling never waits.
 */
export function hear<E extends Event>(type: string, heard: (event: E) => void, target: EventTarget = window): void {
  target.addEventListener(type, (event) => quietly(() => heard(event as E)), { capture: true, passive: true });
}

/**
 * When the page ends, before the client says goodbye; the latest asked is the first. A page that was kept may end again.
 */
export function onLeave(client: Inside, leave: () => void): void {
  const { leave_: before } = client;
  client.leave_ = () => {
    quietly(leave);
    before();
  };
}

/** The page comes back out of the browser's back/forward cache: a visit of its own in all that is measured. */
export function onReturn(returned: (event: PageTransitionEvent) => void): void {
  hear<PageTransitionEvent>('pageshow', (event) => {
    if (event.persisted) returned(event);
  });
}

/** When the page's first byte came, and when a visitor saw it first (a prerendered page waits for that). */
export function navigation(): { responseStart?: number; activationStart?: number } {
  return (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined) ?? {};
}
