/** A real Chromium with a profile that outlives it, started by us so that we can kill it. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { makeHome } from './home.mjs';
import { PATIENCE, until } from './wait.mjs';

const require = createRequire(new URL('../../npm/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The last five: what a test wants to be slow is slow by order, and tabs that Playwright does not show are not frozen. */
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--remote-debugging-port=0', '--disable-features=HttpsUpgrades',
  '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding',
  '--disable-hang-monitor', '--disable-ipc-flooding-protection',
];

/** Of a profile in which sites may not store anything: `localStorage` and `indexedDB` throw (2 is "block"). */
export const NO_STORAGE = { profile: { default_content_setting_values: { cookies: 2 } } };

/**
 * Makes a profile and starts a browser on it. `context` is the profile itself, `fresh()` a context of its own with
 * nothing stored, which is quicker than another browser.
 */
export async function startBrowser({ preferences } = {}) {
  const home = makeHome();
  const profile = `${home.path}/profile`;
  mkdirSync(`${profile}/Default`, { recursive: true });
  if (preferences) writeFileSync(`${profile}/Default/Preferences`, JSON.stringify(preferences));

  const browser = {
    /** Starts it, again. */
    async open() {
      rmSync(`${profile}/DevToolsActivePort`, { force: true });
      for (const name of ['SingletonLock', 'SingletonCookie', 'SingletonSocket']) rmSync(`${profile}/${name}`, { force: true });
      browser.process = launch(profile);
      browser.driver = await chromium.connectOverCDP(await endpoint(profile), { timeout: PATIENCE });
      browser.context = patient(browser.driver.contexts()[0]);
    },
    fresh: async () => patient(await browser.driver.newContext()),
    /** SIGKILL to the browser and all that it started. Nothing gets a last word. */
    async kill() {
      const { pid } = browser.process;
      const all = [pid, ...descendants(pid)];
      for (const one of all) process.kill(one, 'SIGKILL');
      await until('the end of the browser', () => !all.some(runs));
    },
    /** Whether all these texts are in the profile's databases, where the end of the browser does not reach them. */
    keeps(texts) {
      const files = readdirSync(profile, { recursive: true }).filter((name) => /leveldb\/\d+\.(log|ldb)$/.test(name));
      const written = files.map((name) => contentsOf(name, readFileSync(`${profile}/${name}`)));
      return texts.every((text) => written.some((all) => all.includes(text)));
    },
    leave: () => home.leave(),
  };
  await browser.open();
  return browser;
}

/** What a page of it does has as long as everything else. */
function patient(context) {
  context.setDefaultTimeout(PATIENCE);
  return context;
}

function launch(profile) {
  return spawn(CHROMIUM, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], { stdio: 'ignore' });
}

async function endpoint(profile) {
  const [port] = await until('a browser', () => {
    const lines = readFileSync(`${profile}/DevToolsActivePort`, 'utf8').split('\n');
    return lines.length > 1 && lines;
  });
  return `http://127.0.0.1:${port}`;
}

/**
 * What a file of LevelDB holds, in which localStorage and IndexedDB are. A log has blocks of 32 KiB, and where one ends a text
 * goes on behind the header of the next: 4 bytes of a checksum, 2 of the length, 1 of the kind. A table has its texts whole.
 */
function contentsOf(name, log) {
  if (!name.endsWith('.log')) return log.toString('latin1');
  const parts = [];
  for (let block = 0; block < log.length; block += 32_768) {
    const end = Math.min(block + 32_768, log.length);
    for (let at = block; at + 7 <= end; at += 7 + log.readUInt16LE(at + 4)) {
      parts.push(log.subarray(at + 7, at + 7 + log.readUInt16LE(at + 4)));
    }
  }
  return Buffer.concat(parts).toString('latin1');
}

/** All children of a process and theirs, from /proc. */
function descendants(pid) {
  const children = numbers('/proc').filter((one) => stat(one)?.parent === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

const numbers = (folder) => readdirSync(folder).map(Number).filter(Boolean);

/** A zombie does not run. */
const runs = (pid) => (stat(pid)?.state ?? 'Z') !== 'Z';

/** State and parent. The name before them may hold blanks and parentheses. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Makes this page's CPU `times` slower. */
export async function slowDown(page, times) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: times });
}

/** The most that this page's origin may store in IndexedDB, in bytes. */
export async function limitStorage(page, quotaSize) {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize });
}
