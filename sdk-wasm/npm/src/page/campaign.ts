/** Where a visitor came from: the last touch on every event, the first touch on the person. */
import type { Inside } from '../inside';

/**
 * What ads and mails put into an address: the UTM parameters; the click ids of Google, Meta, Microsoft, X, TikTok and
 * Yandex (`…clid`, `msclkid`, `gbraid`, `wbraid`), LinkedIn, Instagram, Reddit and Mailchimp.
 */
const CAMPAIGN =
  /^(utm_(source|medium|campaign|term|content|id)|(g|d|fb|ms|tw|tt|y)clk?id|[gw]braid|(rdt|mc)_cid|li_fat_id|igshid)$/;

/** Characters that are kept of a parameter, because it goes with every event: 200. Google's `gclid` has about 100. */
const VALUE_CHARS = 200;

/** Key in the client's store: the anonymous id whose first touch has been told. */
const TOLD = 'first';

type Texts = Record<string, string>;

/** The campaign parameters of an address. */
export function campaignOf(address: string): Texts {
  const found: Texts = {};
  new URL(address).searchParams.forEach((value, name) => {
    if (value && CAMPAIGN.test(name)) found[name] = value.slice(0, VALUE_CHARS);
  });
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
  const { host, origin, pathname } = new URL(address);
  const direct = '$direct';
  // Without the query, which may be secret; what is known of a campaign is told by itself.
  const from = { $referrer: direct, $referring_domain: direct, ...touch };
  const known: Texts = { current_url: origin + pathname, host, pathname, ...from };
  const first: Texts = {};
  for (const name in known) first['$initial_' + name.replace('$', '')] = known[name]!;
  return first;
}

/** Registers the last touch, whole: a part of the one before would name a campaign that never was. */
function tellLast(client: Inside, touch: Texts): void {
  for (const name in client.who_().r)
    if (!(name in touch) && (CAMPAIGN.test(name) || /^\$referr/.test(name))) client.unregister(name);
  client.register(touch);
}

/** Once for each anonymous id, and not where nothing is kept: there every page would be a first visit. */
function tellFirst(client: Inside, first: Texts): void {
  const { a: id } = client.who_();
  if (!client.store_.lasting_ || client.store_.get_(TOLD) === id) return;
  client.store_.set_(TOLD, id);
  client.setPersonProperties(undefined, first);
}

/** Reads where this visit came from; one from nowhere leaves the touch before it. The page's first `$pageview` is older. */
export function tellCampaign(client: Inside): void {
  const { landing_: address } = client;
  const touch = { ...campaignOf(address), ...referredBy(document.referrer, address, client.options_.cookieDomain) };
  if (Object.keys(touch)[0]) tellLast(client, touch);
  tellFirst(client, firstTouch(address, touch));
}
