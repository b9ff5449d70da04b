/** Tasks of a page's main thread, from Chromium's own trace: also those too short for a `longtask` entry. */

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8.wasm', 'disabled-by-default-v8.wasm.detailed'];

/** The script that calls the SDK first, and the SDK's files. */
const FIRST = /\/start-measured\.js$/;
const OURS = /\/sdk\/v1\//;

/**
 * Runs `during` under a trace, and returns the main thread's tasks: all, and those in which code of the SDK ran or was
 * compiled, with `part`: how much of the task that was, if it can be told; and `first`: `init` and the first `track`. Each has its `wall` time and the `cpu` time of its thread, ms: what other processes took is only in the first,
 * but so are waits for the browser's process. A CPU that is slowed down is slow in both: the thread spins.
 */
export async function traced(page, during) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const over = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', { traceConfig: { includedCategories: CATEGORIES }, transferMode: 'ReportEvents' });
  await during();
  const url = page.url();
  await session.send('Tracing.end');
  await over;
  await session.detach();
  return tasksOf(events, url);
}

/** Tasks of the main thread of the process that committed this page. */
function tasksOf(events, url) {
  const thread = events.findLast((event) => event.name === 'CommitLoad' && event.args.data?.url === url);
  if (!thread) throw new Error(`no load of ${url} in the trace`);
  const mine = events.filter((event) => event.pid === thread.pid && event.tid === thread.tid && event.ph === 'X');
  const tasks = mine.filter((event) => event.name === 'RunTask').map((task) => ({ ...times(task), inside: within(task, mine) }));
  const ours = tasks.filter(({ inside }) => inside.some(isOurs)).map((task) => ({ ...task, part: partOf(task) }));
  const first = mine.find(({ name, args }) => name === 'EvaluateScript' && FIRST.test(args.data?.url ?? ''));
  return { all: tasks, ours, first: first && times(first) };
}

const within = ({ ts, dur }, events) => events.filter((event) => event.ts >= ts && event.ts < ts + dur);

const times = ({ dur, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 });

/** Of a task in which the browser parses the page, our scripts' part; of any other, all. CPU ms. */
function partOf({ cpu, inside }) {
  if (!inside.some(({ name }) => name === 'ParseHTML')) return cpu;
  const scripts = inside.filter((event) => event.name === 'EvaluateScript' && isOurs(event));
  return scripts.reduce((sum, script) => sum + times(script).cpu, 0);
}

/** A page's only module and its only wasm are the engine file's; neither's event names it. */
function isOurs({ name, args }) {
  const data = args.data ?? args.beginData;
  const url = data?.url ?? args.fileName ?? '';
  return OURS.test(url) || FIRST.test(url) || name.startsWith('wasm.') || name === 'v8.evaluateModule';
}
