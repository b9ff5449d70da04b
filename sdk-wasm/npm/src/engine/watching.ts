import type { Inside } from '../inside';
import type { Holding } from './holding';
import { recordId } from './inbox';

/**
 * What happens around the page. All of it is heard before the stub's own listeners, which give the lock up, and after the
 * page features, which record what they know of a page that ends.
 */
export function watch(client: Inside, holding: Holding, seen: () => void, hidden: () => void): void {
  const on = (type: string, heard: (event: Event) => void) => addEventListener(type, heard, true);
  on('storage', (event) => stored(client, holding, event as StorageEvent));
  on('online', () => holding.work_()?.sender_.hurry_());
  on('pagehide', () => holding.work_()?.sender_.part_());
  on('visibilitychange', () => {
    if (document.visibilityState !== 'hidden') return seen();
    // On a phone nothing more may ever be heard of this page.
    holding.work_()?.sender_.hurry_(true);
    hidden();
  });
}

/** Another tab has recorded something, or has asked the person. */
function stored(client: Inside, holding: Holding, { key, newValue }: StorageEvent): void {
  const id = recordId(client, key);
  if (id && newValue) holding.work_()?.inbox_.adopt_(id, newValue);
  if (key === `${client.prefix_}who`) holding.consent_();
}
