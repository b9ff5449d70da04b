import { useLocation } from 'preact-iso';

type Query = Record<string, string | undefined>;

/** An address with a question; what is empty is left out. */
export function addressOf(path: string, query: Query): string {
  const asked = new URLSearchParams(Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  return asked.size === 0 ? path : `${path}?${asked}`;
}

/** The question in the address of the page: what is chosen there survives a reload, and can be sent to somebody. */
export function useAddress(): { query: Query; change: (changes: Query) => void } {
  const { path, query, route } = useLocation();
  return { query, change: (changes) => route(addressOf(path, { ...query, ...changes }), true) };
}
