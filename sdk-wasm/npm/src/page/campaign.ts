/** Where a visitor came from: the last touch on every event, the first touch on the person. */
import type { Inside } from '../inside';

/** What ads and mails put into an address; PostHog's list, without what nobody sends any more. */
const PARAMETERS = (
  'utm_source utm_medium utm_campaign utm_term utm_content utm_id gclid gbraid wbraid dclid fbclid msclkid twclid ' +
  'ttclid li_fat_id igshid rdt_cid epik sccid mc_cid'
).split(' ');

/** Characters that are kept of a parameter, because it goes with every event: 200. Google's `gclid` has about 100. */
const VALUE_CHARS = 200;

/** Key in the client's store: the anonymous id whose first touch has been told. */
const TOLD = 'first';

type Texts = Record<string, string>;

/** The campaign parameters of an address. */
export function campaignOf(address: string): Texts {
  const query = new URL(address).searchParams;
  const found: Texts = {};
  for (const name of PARAMETERS) {
    const value = query.get(name);
    if (value) found[name] = value.slice(0, VALUE_CHARS);
  }
  return found;
}

/** The other site from which a link was followed. A page of this site, or of its shared domain, is none. */
export function referredBy(referrer: string, address: string, cookieDomain = ''): Texts {
  if (!referrer) return {};
  const from = new URL(referrer).host;
  const site = cookieDomain.replace(/^\./, '');
  const isInternal = from === new URL(address).host || (site && `.${from}`.endsWith(`.${site}`));
  return isInternal ? {} : { $referrer: referrer, $referring_domain: from };
}

/** Person properties of the first visit, under PostHog's names. */
export function firstTouch(address: string, touch: Texts): Texts {
  const { host, pathname } = new URL(address);
  const direct = { $referrer: '$direct', $referring_domain: '$direct' };
  const known: Texts = { current_url: withoutQuery(address), host, pathname, ...direct, ...touch };
  const first: Texts = {};
  for (const name in known) first[`$initial_${name.replace('$', '')}`] = known[name] ?? '';
  return first;
}

/** A query or a fragment may be secret; what is known of a campaign is told by itself. */
function withoutQuery(address: string): string {
  return address.replace(/[?#].*/, '');
}

/** Registers the last touch, whole: a part of the one before would name a campaign that never was. */
function tellLast(client: Inside, touch: Texts): void {
  for (const name in client.who_().r)
    if (!(name in touch) && [...PARAMETERS, '$referrer', '$referring_domain'].includes(name)) client.unregister(name);
  client.register(touch);
}

/** Once for each anonymous id, and not where nothing is kept: there every page would be a first visit. */
function tellFirst(client: Inside, first: Texts): void {
  const { a: id } = client.who_();
  if (!client.store_.lasting_ || client.store_.get_(TOLD) === id) return;
  client.store_.set_(TOLD, id);
  client.setPersonProperties(undefined, first);
}

/** Reads where this visit came from; a visit from nowhere leaves the touch before it. The page's first `$pageview` is older. */
export function tellCampaign(client: Inside): void {
  if (client.isOptedOut()) return;
  const { landing_: address } = client;
  const touch = { ...campaignOf(address), ...referredBy(document.referrer, address, client.options_.cookieDomain) };
  if (Object.keys(touch).length) tellLast(client, touch);
  tellFirst(client, firstTouch(address, touch));
}
