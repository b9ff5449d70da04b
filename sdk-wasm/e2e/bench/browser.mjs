/** A real Chromium on a profile of its own, which can be killed as a power cut would, but for the disk's cache. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../npm/package.json', import.meta.url))('playwright-core');

const PATH = '/usr/bin/chromium';
const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--remote-debugging-port=0',
];

/** Starts it in a process group of its own, so that all its processes can be killed at once. */
export async function start(profile) {
  const child = spawn(PATH, [...ARGS, `--user-data-dir=${profile}`], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const browser = await chromium.connectOverCDP(await address(child));
  const ended = once(child, 'exit');
  return {
    browser,
    page: () => browser.contexts()[0].newPage(),
    /** SIGKILL for all its processes at the same moment. */
    async kill() {
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
    /** As a person would: everything is written. */
    async close() {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.close').catch(() => {});
      await ended;
    },
    /** The processes that run pages, by id. */
    async renderers() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.filter((process) => process.type === 'renderer').map((process) => process.id);
    },
  };
}

/** The address of the debugger, which Chromium prints when it listens. */
function address(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = /DevTools listening on (\S+)/.exec(text);
      if (found) resolve(found[1]);
    });
    child.on('exit', () => reject(new Error(`Chromium ended: ${text.slice(-500)}`)));
  });
}
