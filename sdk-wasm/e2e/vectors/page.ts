/** What the test calls in the page. */
import { withEngine } from './engine';
import { adopted, type Adopted } from './adopted';
import { alone } from './alone';
import { run, type Ids, type Result } from './run';
import { load } from './wasm';

const engines = await load('/wasm/trailmark.js');

const vectors = {
  /** Runs a file's text on a tab with the engine. */
  engine: (text: string, ids: Ids): Promise<Result> => run(text, withEngine(engines), ids),
  /** Runs a file's text on a tab of the stub alone, comparing whole requests or their events. */
  alone: (text: string, whole: boolean): Promise<Result> => run(text, alone(whole), 'requests'),
  /** Random calls of so many pages, kept by the stub and sent in both ways. */
  adopted: (pages: number, seed: number): Adopted => adopted(engines, pages, seed),
};

Object.assign(globalThis, { vectors });
