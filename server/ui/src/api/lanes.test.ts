import { expect, test } from 'vitest';
import { Lanes } from './lanes';

/** A task that ends when it is told to. */
function task() {
  const made = { begun: false, end: () => {}, run: () => Promise.resolve() };
  const over = new Promise<void>((end) => {
    made.end = end;
  });
  made.run = () => {
    made.begun = true;
    return over;
  };
  return made;
}

const turn = () => new Promise((done) => setTimeout(done));
const { signal } = new AbortController();

test('no more than the lanes run at a time, and the next begins when one ends', async () => {
  const lanes = new Lanes(2);
  const tasks = [task(), task(), task(), task()];
  const all = tasks.map((one) => lanes.run(signal, one.run));
  await turn();
  expect(tasks.map((one) => one.begun)).toEqual([true, true, false, false]);
  tasks[1]?.end();
  await turn();
  expect(tasks.map((one) => one.begun)).toEqual([true, true, true, false]);
  for (const one of tasks) one.end();
  await turn();
  tasks[3]?.end();
  await Promise.all(all);
});

test('a task that fails or is given up leaves its lane to the next', async () => {
  const lanes = new Lanes(1);
  const given = new AbortController();
  const [slow, never, last] = [task(), task(), task()];
  const first = lanes.run(signal, async () => {
    await slow.run();
    throw new Error('no');
  });
  const second = lanes.run(given.signal, never.run);
  const third = lanes.run(signal, last.run);
  given.abort();
  slow.end();
  await expect(first).rejects.toThrow('no');
  await expect(second).rejects.toThrow();
  last.end();
  await third;
  expect([never.begun, last.begun]).toEqual([false, true]);
});
