import type { Asked } from '../question/question';
import { answer, POST } from './client';
import type { Schema } from './types';

/** Asks a question. */
export const ask = (question: Asked, signal: AbortSignal): Promise<Schema<'Answer'>> =>
  answer(POST('/api/v1/query', { body: question as never, signal })) as Promise<Schema<'Answer'>>;

/** People of a page. */
export const PEOPLE_PAGE = 100;

/** Who is in a place of an answer. The server says where a question and a place do not fit. */
export const askWho = (
  query: Asked,
  at: object,
  cursor: number | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<Schema<'PersonPage'>> => {
  const body = { query, at, limit, cursor: cursor ?? null } as never;
  return answer(POST('/api/v1/query/persons', { body, signal })) as Promise<Schema<'PersonPage'>>;
};
