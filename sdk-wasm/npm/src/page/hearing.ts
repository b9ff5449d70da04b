/** How the features listen: before everybody else, and without being able to hold the page up or break it. */

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
 * recorded when the page ends is there before the stub's listeners of the same events send it. Passive: scrolling never
 * waits.
 */
export function hear<E extends Event>(type: string, heard: (event: E) => void, target: EventTarget = window): void {
  target.addEventListener(type, (event) => quietly(() => heard(event as E)), { capture: true, passive: true });
}

/** The page comes back out of the browser's back/forward cache: a visit of its own in all that is measured. */
export function onReturn(returned: (event: PageTransitionEvent) => void): void {
  hear<PageTransitionEvent>('pageshow', (event) => {
    if (event.persisted) returned(event);
  });
}

/** When the page's first byte came, and when a visitor saw it first (a prerendered page waits for that). */
export function navigation(): { responseStart: number; activationStart: number } {
  const [entry] = performance.getEntriesByType('navigation') as Partial<ReturnType<typeof navigation>>[];
  return { responseStart: entry?.responseStart ?? 0, activationStart: entry?.activationStart ?? 0 };
}
