/**
 * `$web_vitals`, once a page, when it is hidden first: what the page's visitor waited for. The definitions are those of
 * Google's web-vitals 6, which a test loads beside this and compares; it has 3.1 KB in brotli and this 1 KB.
 */
import type { Properties } from '../api';
import type { Inside } from '../inside';
import { hear, navigation, onLeave, onReturn } from './hearing';

/** An event must take this long (ms) to be looked at: two and a half frames, as in web-vitals. */
const EVENT_MS = 40;
/** Interactions for each of which the worst one may be left out: that makes the 98th percentile. */
const PER_OUTLIER = 50;
/** The worst interactions that are kept: enough for 500 of them. */
const WORST = 10;

interface Shift {
  startTime: number;
  value: number;
  hadRecentInput: boolean;
}

/** CLS: the worst burst of shifts with less than 1 s between two and less than 5 s in all. */
export function shifts(): { add_(shift: Shift): void; worst_(): number } {
  let [worst, sum, first, last] = [0, 0, 0, 0];
  return {
    add_({ startTime, value, hadRecentInput }) {
      if (hadRecentInput) return;
      const goesOn = sum && startTime - last < 1_000 && startTime - first < 5_000;
      if (!goesOn) [sum, first] = [0, startTime];
      last = startTime;
      worst = Math.max(worst, (sum += value));
    },
    worst_: () => worst,
  };
}

interface Interaction {
  interactionId?: number;
  duration: number;
}

/** INP: the longest interaction, without one for every 50 there were. */
export function interactions(): { add_(event: Interaction): void; longest_(count: number): number | undefined } {
  let worst: [id: number, ms: number][] = [];
  return {
    add_({ interactionId, duration }) {
      if (!interactionId) return;
      const same = worst.find(([id]) => id === interactionId);
      if (same) same[1] = Math.max(same[1], duration);
      else worst.push([interactionId, duration]);
      worst = worst.sort((a, b) => b[1] - a[1]).slice(0, WORST);
    },
    longest_: (count) => worst[Math.min(worst.length - 1, Math.floor(count / PER_OUTLIER))]?.[1],
  };
}

/** What is measured of one visit of the page; it comes back from the back/forward cache as another one. */
function begun() {
  const values: Record<string, number> = {};
  return { values_: values, shifts_: shifts(), interactions_: interactions(), before_: counted() };
}

export function watchVitals(client: Inside): void {
  const { responseStart, activationStart: started = 0 } = navigation();
  let visit = begun();
  let told = false;
  // What is painted after the page was hidden says nothing: nobody waited for it.
  let hidden = hiddenBefore(started);
  const met = (name: string, at: number): void => {
    if (at < hidden) visit.values_[name] = Math.max(0, at - started);
  };
  if (responseStart) met('TTFB', responseStart);

  const drainShifts = observe('layout-shift', (entry) => visit.shifts_.add_(entry as unknown as Shift));
  const interacted = (entry: Interaction): void => visit.interactions_.add_(entry);
  const drains = [
    observe('paint', (entry) => {
      if (entry.name === 'first-contentful-paint') met('FCP', entry.startTime);
    }),
    observe('largest-contentful-paint', (entry) => met('LCP', entry.startTime)),
    observe('event', interacted, EVENT_MS),
    observe('first-input', interacted),
    drainShifts,
  ];
  const tell = (): void => {
    if (told) return;
    told = true;
    for (const drain of drains) drain?.();
    const { values_: values, shifts_, interactions_, before_ } = visit;
    if (drainShifts && 'FCP' in values) values['CLS'] = shifts_.worst_();
    const inp = interactions_.longest_(counted() - before_);
    if (inp) values['INP'] = inp;
    const properties: Properties = { $pathname: new URL(client.landing_).pathname };
    // Under PostHog's names, with four digits behind the point: CLS needs them.
    for (const name in values) properties[`$web_vitals_${name}_value`] = Math.round(values[name]! * 1e4) / 1e4;
    client.record_('$web_vitals', properties);
  };
  hear('visibilitychange', () => {
    if (document.hidden) tell();
  });
  onLeave(client, tell);
  onReturn(({ timeStamp }) => {
    visit = begun();
    visit.values_['TTFB'] = hidden = 0;
    told = false;
    // The second frame: the first one has begun before what is in it could be drawn.
    const drawn = (): void => void (visit.values_['FCP'] = visit.values_['LCP'] = performance.now() - timeStamp);
    requestAnimationFrame(() => requestAnimationFrame(drawn));
  });
}

/** Interactions of this page, ever. Browsers that do not count them have nothing left out. */
function counted(): number {
  return (performance as { interactionCount?: number }).interactionCount ?? 0;
}

/** When the page was hidden first until now, after the visitor could see it. */
function hiddenBefore(started: number): number {
  const states = performance.getEntriesByType('visibility-state');
  const first = states.find((state) => state.name === 'hidden' && state.startTime >= started);
  return first?.startTime ?? (document.hidden ? 0 : Infinity);
}

/** What has been and what comes. Returns what hands over what the browser still keeps, if it knows such a thing. */
function observe(
  type: string,
  seen: (entry: PerformanceEntry) => void,
  durationThreshold?: number,
): (() => void) | undefined {
  if (!PerformanceObserver.supportedEntryTypes.includes(type)) return undefined;
  const each = (entries: PerformanceEntry[]): void => entries.forEach(seen);
  const observer = new PerformanceObserver((list) => each(list.getEntries()));
  observer.observe({ type, buffered: true, durationThreshold } as PerformanceObserverInit);
  return () => each(observer.takeRecords());
}
