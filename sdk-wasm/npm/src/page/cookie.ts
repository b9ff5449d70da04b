/** The anonymous id in a first-party cookie, so that a site's subdomains share it. Only where consent is granted. */

/** A year, in seconds: browsers keep none longer than 400 days. */
const MAX_AGE_S = 31_536_000;

const nameFor = (key: string): string => `tm_${key.slice(-8)}`;

/** The id that this site's pages share, if they do. `cookies` is `document.cookie`. */
export function sharedId(key: string, cookies: string): string | undefined {
  const found = cookies.split('; ').find((cookie) => cookie.startsWith(`${nameFor(key)}=`));
  try {
    return decodeURIComponent(found?.slice(nameFor(key).length + 1) ?? '') || undefined;
  } catch {
    return undefined; // written by somebody else
  }
}

/** What `document.cookie` is set to so that the site's pages share this id; an empty id takes it back. */
export function sharing(key: string, domain: string, id: string, secure: boolean): string {
  const age = id ? MAX_AGE_S : 0;
  const end = secure ? ';Secure' : '';
  return `${nameFor(key)}=${encodeURIComponent(id)};Domain=${domain};Path=/;Max-Age=${age};SameSite=Lax${end}`;
}
