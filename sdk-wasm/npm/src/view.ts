/** The page's first view, which is recorded before the engine file is there. */
import type { Inside } from './inside';
import { campaignOf } from './page/campaign';

/** Writes the campaign that led to this page into its first `$pageview`, unless another tab has numbered it. */
export function tellView({ store_: store, landing_, options_ }: Inside): void {
  const campaign = options_.campaigns === false ? {} : campaignOf(landing_);
  const key = Object.keys(campaign)[0] && store.keys_('q.').reverse().find((key) => isView(store.get_(key)!, landing_));
  if (!key) return;
  const record = JSON.parse(store.get_(key)!);
  store.set_(key, JSON.stringify({ ...record, properties: { ...campaign, ...record.properties } }));
}

function isView(text: string, address: string): boolean {
  if (text[0] === '!') return false;
  const { event, properties } = JSON.parse(text);
  return event === '$pageview' && address.startsWith(properties?.$current_url);
}
