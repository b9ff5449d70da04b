/** Tasks of a page's main thread, from Chromium's own trace: also those too short for a `longtask` entry. */

const CATEGORIES = ['disabled-by-default-devtools.timeline', 'devtools.timeline', 'toplevel'];

/** Runs `during` under a trace, and returns the lengths of the main thread's tasks, ms. */
export async function traced(page, during) {
  const session = await page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const over = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', { traceConfig: { includedCategories: CATEGORIES }, transferMode: 'ReportEvents' });
  await during();
  await session.send('Tracing.end');
  await over;
  await session.detach();
  return tasksOf(events, page.url());
}

/** The main thread of the process that committed this page; its whole tasks. */
function tasksOf(events, url) {
  const thread = events.findLast((event) => event.name === 'CommitLoad' && event.args.data?.url === url);
  if (!thread) throw new Error(`no load of ${url} in the trace`);
  const mine = events.filter((event) => event.pid === thread.pid && event.tid === thread.tid);
  return mine.filter((event) => event.name.endsWith('RunTask') && event.ph === 'X').map((event) => event.dur / 1000);
}
