import { answer, DELETE, GET, PATCH, POST } from '../api/client';
import type { Schema } from '../api/types';
import { useAnswer } from '../api/use';
import type { Asked, Question } from '../question/question';
import { readQuestion, toSearch } from '../question/url';

export type SavedQuery = Schema<'SavedQuery'>;
export type Dashboard = Schema<'Dashboard'>;
export type Tile = Required<Schema<'Tile'>>;

/** Most tiles of a dashboard, as the server has it. */
export const TILES = 24;

export const useSavedQueries = () =>
  useAnswer(async (signal) => (await answer(GET('/api/v1/saved_queries', { signal }))).saved_queries, []);

export const useDashboards = () =>
  useAnswer(async (signal) => (await answer(GET('/api/v1/dashboards', { signal }))).dashboards, []);

const path = (id: number) => ({ params: { path: { id } } });

export const save = (name: string, query: Asked, watched: boolean) =>
  answer(POST('/api/v1/saved_queries', { body: { name, query, watched } as never }));

export const changeSaved = (id: number, change: { name?: string; query?: Asked; watched?: boolean }) =>
  answer(PATCH('/api/v1/saved_queries/{id}', { ...path(id), body: change as never }));

export const deleteSaved = (id: number) => answer(DELETE('/api/v1/saved_queries/{id}', path(id)));

export const makeDashboard = (name: string, tiles: Tile[]) =>
  answer(POST('/api/v1/dashboards', { body: { name, tiles } }));

export const changeDashboard = (id: number, change: { name?: string; tiles?: Tile[] }) =>
  answer(PATCH('/api/v1/dashboards/{id}', { ...path(id), body: change }));

export const deleteDashboard = (id: number) => answer(DELETE('/api/v1/dashboards/{id}', path(id)));

export const tileOf = (saved: number): Tile => ({ saved_query: saved, view: 'chart', wide: false });

/** Every field of a tile, also those that the server leaves out. */
export const wholeTile = (tile: Schema<'Tile'>): Tile => ({ view: 'chart', wide: false, ...tile });

/** A question that is kept, as the builder has it. */
export const questionOf = (query: Asked): Question | null => readQuestion(query as unknown as Record<string, unknown>);

/** The page of a saved question. */
export function addressOf(saved: SavedQuery): string {
  const question = questionOf(saved.query);
  return question ? `/explore?${toSearch(question)}&saved=${saved.id}` : '/explore';
}
