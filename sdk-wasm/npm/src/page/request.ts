/** Requests as properties of `$request`: to the byte what sdk-core/src/http_request.rs writes. */
import type { Properties, RequestFacts } from '../api';
import type { Inside } from '../inside';
import { under } from './exception';

/** A name or an address, and perhaps a port. */
const HOST = /^(?:\[[^]*\]:?\d*|[^:\]]+(?::\d*)?)$/;

/** `$request` of a request that the page made by itself. */
export function captureRequest(client: Inside, facts: RequestFacts, properties?: Properties): void {
  client.record_('$request', under(requestProperties(facts), properties));
}

/** The properties of `$request`, in the core's order; what is not known is `undefined`, which JSON leaves out. */
export function requestProperties({ method, url, status, duration_ms, error }: RequestFacts): Properties {
  const [host, path] = placeOf(String(url));
  return { method, host, path, status, duration_ms, error };
}

/**
 * Host and path of an address, without what may be secret: an address that is not well-formed has neither, because
 * nobody can say what of it is a password. An address within a path is cut off, for the same reason.
 */
export function placeOf(whole: string): [host: string | undefined, path: string] {
  const url = whole.replace(/[?#][^]*/, '');
  const rest = /^(?:[a-z0-9+.-]+:)?\/\/([^]*)$/i.exec(url)?.[1];
  if (rest === undefined) return [undefined, /^\/|^[^@:]*$/.test(url) ? alone(url) : ''];
  const slash = rest.indexOf('/');
  const [authority, path] = slash < 0 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return HOST.test(host) ? [host, alone(path) || '/'] : [undefined, ''];
}

function alone(path: string): string {
  return path.split('://')[0] ?? '';
}
