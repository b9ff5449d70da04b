/** The world of a browser, and what a client does in it by itself. */
import { openLock } from './lock';
import type { Inside } from './inside';
import type { Stub, World } from './world';

/** How often the plain sender looks for records. */
const SEND_EVERY_MS = 5e3;

/** localStorage, where it can be written to. */
function storage(): Record<string, string> | undefined {
  try {
    localStorage['tm.'] = 1;
    delete localStorage['tm.'];
    return localStorage;
  } catch {
    return;
  }
}

function pageFacts() {
  let referrer = document.referrer;
  return () => {
    const first = referrer && { $referrer: referrer, $referring_domain: new URL(referrer).host };
    referrer = '';
    const { origin, pathname, search, host } = location;
    return { $current_url: origin + pathname + search, $pathname: pathname, $host: host, $title: document.title, ...first };
  };
}

export function browserWorld(host: string, load: World['load_']): World {
  const signals = navigator as { globalPrivacyControl?: boolean; doNotTrack?: string | null };
  return {
    now_: Date.now,
    random_: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    storage_: storage(),
    host_: host,
    landing_: location.href,
    private_: signals.globalPrivacyControl || signals.doNotTrack == '1',
    context_: {
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      screen: { width: screen.width, height: screen.height, scale: devicePixelRatio },
    },
    page_: pageFacts(),
    fetch_: (url, init) => fetch(url, init),
    beacon_: (url, body) => navigator.sendBeacon(url, body),
    load_: load,
  };
}

/** What a started client does: it asks for the lock, sends, says goodbye, gets the engine. */
export function run(client: Stub): void {
  const [giveUp, ask] = openLock(client);
  ask();
  setInterval(client.send_, SEND_EVERY_MS);
  addEventListener('pagehide', () => {
    if (!client.take_) client.send_(true);
    giveUp();
  });
  addEventListener('pageshow', (event) => event.persisted && ask());
  if (client.options_.pageviews !== false) client.page();
  whenIdle(() => {
    client.world_.load_(client.options_).then(({ start }) => start(client as Inside)).catch(() => {
      client.plain_ = true;
      client.send_();
    });
  });
}

/** Once the page has loaded and has nothing else to do. */
function whenIdle(then: () => void): void {
  const idle = () => (window.requestIdleCallback || setTimeout)(then);
  if (document.readyState == 'complete') idle();
  else addEventListener('load', idle);
}
