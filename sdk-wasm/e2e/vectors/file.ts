/** A file of vectors. Its format is in `sdk-core/tests/vectors/README.md`. */
import { members, parts, read } from './text';

/** When `at` is 0: 2026-11-20T12:00:00.000Z. */
export const START = Date.UTC(2026, 10, 20, 12);

/** The settings of a head or of a restart, by their names in the core. */
export type Settings = { [name: string]: unknown };

/** What a step is called with. */
export type With = { [name: string]: unknown };

/** One step. */
export interface Step {
  text: string;
  verb: string;
  /** Unix ms; without it no time has passed. */
  at: number | undefined;
  with: With;
  /** The arguments as they are written. */
  written: Map<string, string>;
  expect: string | undefined;
}

/** A file. */
export interface File {
  settings: Settings;
  storage: boolean;
  steps: Step[];
}

/** Reads a file's text. */
export function file(text: string): File {
  const head = members(text);
  return {
    settings: read(head.get('config') ?? '{}') as Settings,
    storage: head.get('storage') === 'true',
    steps: parts(head.get('steps') ?? '[]').map(step),
  };
}

function step(text: string): Step {
  const fields = members(text);
  const at = fields.get('at');
  const given = fields.get('with') ?? '{}';
  return {
    text,
    verb: JSON.parse(fields.get('do') ?? '""') as string,
    at: at === undefined ? undefined : START + Number(at),
    with: read(given) as With,
    written: members(given),
    expect: fields.get('expect'),
  };
}
