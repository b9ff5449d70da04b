/** `$autocapture` of clicks, submitted forms and changed fields; `$rageclick`. Of a change only that there was one. */
import type { Inside } from '../inside';
import { described, elementsOf, fromInteractive, masked, nameOf, shown } from './elements';
import { hear } from './hearing';

/** A rage: three clicks within this time, in milliseconds, … */
const WITHIN_MS = 1_000;
/** … each so near the one before, in CSS pixels; PostHog's numbers. */
const WITHIN_PX = 30;
/** No hand clicks twice within this: it is one click that a label hands on to its field. */
const ONE_CLICK_MS = 30;

/** Says of each click (place in CSS pixels, time in ms) whether with it a rage begins; once a rage. */
export function rageDetector(): (x: number, y: number, at: number) => boolean {
  let [lastX, lastY, last, beforeLast] = [0, 0, -Infinity, -Infinity];
  let raging = false;
  return (x, y, at) => {
    if (at - last < ONE_CLICK_MS) return false;
    const goesOn = at - last <= WITHIN_MS && Math.hypot(x - lastX, y - lastY) <= WITHIN_PX;
    const begins = goesOn && !raging && at - beforeLast <= WITHIN_MS;
    raging = goesOn && (raging || begins);
    [lastX, lastY, last, beforeLast] = [x, y, at, goesOn ? last : -Infinity];
    return begins;
  };
}

export function watchClicks(client: Inside): void {
  const isRage = rageDetector();
  hear<MouseEvent>('click', (event) => {
    const path = byPerson(event);
    // A double click selects a word there, a third one the line.
    const inText = path[0]?.matches('input,textarea');
    // Without a place it is the keyboard's.
    if (path[0] && event.detail && !inText && isRage(event.clientX, event.clientY, event.timeStamp))
      tell(client, '$rageclick', 'click', path);
    tell(client, '$autocapture', 'click', fromInteractive(path));
  });
  for (const type of ['submit', 'change']) hear(type, (event) => tell(client, '$autocapture', type, byPerson(event)));
}

/** Clicks that the page's code makes are not a person's. */
function byPerson(event: Event): Element[] {
  return event.isTrusted ? elementsOf(event) : [];
}

function tell(client: Inside, name: string, type: string, path: Element[]): void {
  const [first] = path;
  if (!first) return;
  client.record_(name, {
    $event_type: type,
    $pathname: location.pathname,
    $el_name: nameOf(path),
    $el_text: (client.options_.clickText && type === 'click' && masked(shown(first))) || undefined,
    $elements: described(path),
  });
}
