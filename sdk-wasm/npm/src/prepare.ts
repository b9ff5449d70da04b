/** What the engine file does before the engine is there. */
import type { Properties } from './api';
import type { Stub } from './begin';
import { complete } from './complete';
import type { Inside } from './inside';
import { tellView } from './view';

/** How often the plain sender looks for records. */
const SEND_EVERY_MS = 5e3;

/** Makes the client of a page whole. */
export function prepare(inside: Inside): void {
  const client = inside as Stub;
  client.known_ = { ...client.known_, ...device() };
  client.cookies_ = document;
  complete(client);
  tellView(client);
  tellReferrer(client);
  setInterval(() => void client.send_(), SEND_EVERY_MS);
}

/** What is known of the circumstances beyond the language. */
function device(): Properties {
  const { width, height } = screen;
  return { timezone: timezone(), screen: { width, height, scale: devicePixelRatio } };
}

/** The first use of Intl costs a page 20 to 100 ms (measured in Chromium); Temporal's answer less than one. */
function timezone(): string {
  const { Temporal } = globalThis as { Temporal?: { Now: { timeZoneId(): string } } };
  return Temporal?.Now.timeZoneId() || Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The page that led here is told once, with the first view. */
function tellReferrer(client: Stub): void {
  const { page_ } = client;
  let isTold = client.options_.pageviews !== false && !client.isOptedOut();
  client.page_ = () => {
    const facts = isTold ? { ...page_(), $referrer: undefined } : page_();
    isTold = true;
    return facts;
  };
}
