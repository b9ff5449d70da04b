/** The world of a browser, and what a client does in it by itself. */
import type { Options } from './api';
import type { Stub } from './begin';
import { send, sendAlone } from './courier';
import type { Start } from './inside';

/** Gets the engine file. */
export type Load = (url: Options['engineUrl']) => Promise<{ start: Start }>;

/** Gives a client its world; returns what it does once it has begun. */
export function browserWorld(client: Stub, src: string, load: Load): () => void {
  try {
    client.storage_ = localStorage;
  } catch {
    // It is refused.
  }
  Object.assign(client, {
    host_: new URL(src).origin,
    landing_: location.href,
    private_: (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl || (navigator.doNotTrack as unknown) == 1,
    known_: { locale: navigator.language },
    page_: () => ({
      $current_url: location.origin + location.pathname + location.search,
      $pathname: location.pathname,
      $title: document.title,
      $referrer: document.referrer || undefined,
    }),
  });
  return () => {
    if (client.options_.pageviews !== false) client.page();
    client.leave_ = () => {
      send(client, `"${client.who_().i}"`);
      if (client.blocked_) client.set_('c', client.kept_[client.prefix_ + 'c'] + '\n' + JSON.stringify(client.waiting_));
    };
    addEventListener('pagehide', () => client.leave_());
    // The page's own scripts come first.
    setTimeout(() =>
      load(client.options_.engineUrl)
        .then((engine) => engine.start(client))
        .catch(() => sendAlone(client)),
    );
  };
}
