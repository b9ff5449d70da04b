/** What the engine file does before the engine is there. */
import type { Properties } from './api';
import type { Stub } from './begin';
import { complete } from './complete';
import type { Inside } from './inside';
import { openLock } from './lock';
import { tellView } from './view';

/** How often the plain sender looks for records. */
const SEND_EVERY_MS = 5e3;

/** Makes the client of a page whole and asks for the lock, at once. Resolves when the page has loaded and is at rest. */
export function prepare(inside: Inside): Promise<void> {
  const client = inside as Stub;
  client.known_ = { ...client.known_, ...device() };
  client.cookies_ = document;
  complete(client);
  tellView(client);
  tellReferrer(client);
  openLock(client);
  setInterval(() => void client.send_(), SEND_EVERY_MS);
  return rest();
}

/** What is known of the circumstances beyond the language. */
function device(): Properties {
  const { width, height } = screen;
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { timezone, screen: { width, height, scale: devicePixelRatio } };
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

function rest(): Promise<void> {
  return new Promise((settle) => {
    const idle = () => (window.requestIdleCallback || setTimeout)(() => settle());
    if (document.readyState == 'complete') idle();
    else addEventListener('load', idle);
  });
}
