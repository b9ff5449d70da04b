/** What comes after `await nextTask()` is a task of its own: the page's clicks and frames come in between. */
export const nextTask = (): Promise<void> => new Promise((done) => void setTimeout(done));
