/** The world of a browser, and what a client does in it by itself. */
import type { Stub } from './begin';
import { send } from './courier';
import type { Start } from './inside';

/** Gives a client its world; returns what it does once it has begun. */
export function browserWorld(client: Stub, src: string, load: () => Promise<{ start: Start }>): () => void {
  let { referrer } = document;
  try {
    localStorage.tm = 1;
    client.storage_ = localStorage;
  } catch {
    // It is refused, or full.
  }
  Object.assign(client, {
    random_: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    host_: new URL(src).origin,
    landing_: location.href,
    private_: (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl || (navigator.doNotTrack as unknown) == 1,
    known_: { locale: navigator.language },
    page_() {
      const { origin, pathname, search } = location;
      const facts = {
        $current_url: origin + pathname + search,
        $pathname: pathname,
        $title: document.title,
        $referrer: referrer || undefined,
      };
      referrer = '';
      return facts;
    },
  });
  return () => {
    client.replay_();
    if (client.options_.pageviews !== false) client.page();
    addEventListener('pagehide', () => {
      if (!client.take_ && !client.plain_) send(client);
      if (client.blocked_) client.kept_[client.prefix_ + 'c'] += '\n' + JSON.stringify(client.waiting_);
    });
    load()
      .then(({ start }) => start(client))
      .catch(() => setInterval(send, 3e4, client));
  };
}
