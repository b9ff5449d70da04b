import { said } from './events';

/** The address of a person's page, by any of its ids. */
export const personHref = (id: string) => `/people/${encodeURIComponent(id)}`;

/** What a person is called: a name, else an e-mail address, else its id. */
export function nameOf(id: string, properties: Record<string, unknown>): string {
  for (const key of ['name', '$name', 'email', '$email']) {
    const value = properties[key];
    if (typeof value === 'string' && value.trim() !== '') return said(value);
  }
  return id;
}
