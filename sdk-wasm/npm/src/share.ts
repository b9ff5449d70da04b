/** The anonymous id that the subdomains of a site share in a cookie. */
import type { Stub } from './begin';
import { sharedId, sharing } from './page/cookie';
import { nextEpoch } from './who';

/** After these calls it may be another one, or nobody's. `deleteMyData` is a reset and an opt-out. */
const CHANGES = ['reset', 'identify', 'optOut', 'optIn'] as const;

/** Takes the site's id, if it has one, and keeps the cookie true. Before the first call is made; only where consent is granted. */
export function shareId(client: Stub): void {
  const { cookies_, key_, landing_ } = client;
  const { anonymousId, cookieDomain } = client.options_;
  if (!cookies_ || !cookieDomain) return;
  const isGranted = () => client.store_.lasting_ && !client.isOptedOut();
  const take = () => {
    const id = sharedId(key_, cookies_.cookie);
    if (id && !anonymousId) adopt(client, id);
  };
  const tell = (id: string) => (cookies_.cookie = sharing(key_, cookieDomain, id, landing_.startsWith('https:')));
  const change = () => {
    if (isGranted()) tell(client.who_().a);
  };
  for (const name of CHANGES) {
    const call = client[name] as (...args: unknown[]) => void;
    client[name] = (...args: unknown[]) => {
      call(...args);
      if (name === 'optOut') tell('');
      if (name === 'optIn' && isGranted()) take();
      change();
    };
  }
  if (isGranted()) take();
  change();
}

/** Whoever this browser knew here was somebody else: a reset, or another user, on another subdomain. */
function adopt(client: Stub, a: string): void {
  const who = client.who_();
  if (a === who.a) return;
  client.save_({ ...(who.u || who.s ? nextEpoch(client, who) : who), a });
}
