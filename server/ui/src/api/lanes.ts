/** Runs at most so many tasks at a time; the others wait in the order in which they came. Pure but for the tasks. */
export class Lanes {
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly width: number) {}

  /** Runs the task when there is room. One that was given up while it waited is never begun. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (this.busy >= this.width) await new Promise<void>((go) => this.waiting.push(go));
    else this.busy += 1;
    try {
      signal.throwIfAborted();
      return await task();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.busy -= 1;
    }
  }
}
