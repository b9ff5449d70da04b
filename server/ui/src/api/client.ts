import { signal } from '@preact/signals';
import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './schema';
import type { Schema } from './types';

/** Whose session it is, and which project is looked at: what every request says. */
export const csrfToken = signal<string | null>(null);
export const projectId = signal<number | null>(null);

/** Called when the server says that nobody is logged in any more. */
export const whenLoggedOut = { call: () => {} };

/** A refusal of the server, in its own words; `status` 0 if it was not reached. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly hint: string,
    readonly status: number,
    readonly requestId: string | null = null,
  ) {
    super(detail);
  }
}

const UNREACHABLE = new Refusal(
  'unreachable',
  'The server does not answer.',
  'Check the connection, then try again.',
  0,
);

const headers: Middleware = {
  onRequest({ request }) {
    if (projectId.value !== null) request.headers.set('Trailmark-Project', String(projectId.value));
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes && csrfToken.value !== null) request.headers.set('X-Csrf-Token', csrfToken.value);
    return request;
  },
};

const client = createClient<paths>({ baseUrl: location.origin });
client.use(headers);

/** The routes of `/openapi.json`, with their types. Answers go through {@link answer}. */
export const { GET, POST, PATCH, PUT, DELETE } = client;

type Sent<T> = { data?: T | undefined; error?: unknown; response: Response };

/** What the server answered. Throws a {@link Refusal}. */
export async function answer<T>(sent: Promise<Sent<T>>): Promise<T> {
  const { data, error, response } = await sent.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw UNREACHABLE;
  });
  if (response.ok) return data as T;
  const refusal = refusalOf(error, response);
  if (response.status === 401 && csrfToken.value !== null) whenLoggedOut.call();
  throw refusal;
}

function refusalOf(error: unknown, response: Response): Refusal {
  const problem = (typeof error === 'object' && error !== null ? error : {}) as Partial<Schema<'Problem'>>;
  return new Refusal(
    problem.code ?? 'unknown',
    problem.detail ?? `The server answered ${response.status}.`,
    problem.hint ?? '',
    response.status,
    problem.request_id ?? response.headers.get('x-request-id'),
  );
}

/** Anything that was thrown, as a refusal that can be shown. */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new Refusal('broken', text, 'This is a mistake of the page; load it again.', 0);
}
