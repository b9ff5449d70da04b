/** The page's timers, which go off when the test says so. */

const real = globalThis.setTimeout;

/** Timers of one device. */
export interface Timers {
  /** Lets all that are set go off. */
  run(): void;
}

/** From now on all timers of this page are these. */
export function timers(): Timers {
  let set: (() => void)[] = [];
  globalThis.setTimeout = ((then: () => void) => set.push(then)) as unknown as typeof setTimeout;
  return {
    run() {
      const due = set;
      set = [];
      due.forEach((then) => then());
    },
  };
}

/** When everything that needs no timer and no network has happened. */
export const settled = (): Promise<void> => new Promise((done) => real(done));
