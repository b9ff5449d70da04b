import type { Inside } from '../inside';
import { ERASE, type Holding } from './holding';
import { recordId } from './inbox';

/** What happens around the page, but for its end. */
export function watch(client: Inside, holding: Holding, seen: () => void): void {
  addEventListener('storage', (event) => stored(client, holding, event));
  addEventListener('online', () => holding.work_()?.sender_.hurry_());
  addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') holding.hidden_();
    else seen();
  });
}

/** Tells the engine of this tab what the person wants; another tab hears of it by the profile. */
export function watchConsent(client: Inside, holding: Holding): void {
  for (const name of ['optOut', 'optIn'] as const) {
    const call = client[name];
    client[name] = () => {
      call();
      holding.consent_();
    };
  }
}

/** Another tab has recorded something, or has asked the person. */
function stored(client: Inside, holding: Holding, { key, newValue }: StorageEvent): void {
  const id = recordId(client, key);
  if (id && newValue) holding.work_()?.inbox_.adopt_(id, newValue);
  if (key === `${client.prefix_}who`) holding.consent_();
  if (key === client.prefix_ + ERASE) holding.erase_();
}
