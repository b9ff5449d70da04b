/** A real server: `trailmark serve`, or another command that serves, with its private Postgres, as a child process. */
import { execFile, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { makeHome } from './home.mjs';
import { freePort } from './ports.mjs';
import { makeProject } from './project.mjs';
import { until } from './wait.mjs';

const run = promisify(execFile);

/** The binary under test. */
const TRAILMARK = process.env.TRAILMARK_BIN ?? fileURLToPath(new URL('../../../target/debug/trailmark', import.meta.url));

/** All tests call from one address, which would be over its limit at once: it has none. */
const ENVIRONMENT = { ...process.env, DATABASE_URL: undefined, TRAILMARK__RATE_LIMIT__PER_IP_PER_SECOND: '0' };

/** Starts a server in a fresh home and waits until it is ready. */
export async function startServer({ words = ['serve'], environment = {} } = {}) {
  const home = makeHome();
  const port = await freePort();
  const data = `${home.path}/data`;
  let child;

  const options = { cwd: home.path, env: { ...ENVIRONMENT, ...environment } };
  const log = () => readFileSync(`${home.path}/log`, 'utf8');

  /** Runs another command on the same data, and returns what it prints. */
  async function command(...words) {
    const { stdout } = await run(TRAILMARK, [...words, '--data-dir', data, '--json'], options);
    return JSON.parse(stdout);
  }

  async function start() {
    const out = openSync(`${home.path}/log`, 'a');
    const flags = [...words, '--listen', `127.0.0.1:${port}`, '--data-dir', data];
    child = spawn(TRAILMARK, flags, { ...options, stdio: ['ignore', out, out] });
    let missing;
    child.once('error', (error) => (missing = error));
    await until(() => missing ?? `a ready server:\n${log()}`, async () => {
      return (await fetch(`${server.url}/readyz`)).ok;
    });
  }

  function end(signal) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return ended;
  }

  const server = {
    url: `http://127.0.0.1:${port}`,
    command,
    log,
    start,
    /** `kill -9`; its Postgres stays, and is found again by the next start. */
    kill: () => end('SIGKILL'),
    /** SIGTERM, and the end. */
    stop: () => end('SIGTERM'),
    /** A project with its keys, made as a user makes them. */
    project: (name) => makeProject(server, name),
    /** One value of SQL, as text, past the server. */
    sql: (query) => ask(`${data}/postgres`, query),
    /** Ends everything and removes the data. */
    async leave() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGTERM');
      await home.leave();
    },
  };
  await start();
  return server;
}

/** psql of the Postgres that runs here; Debian's /usr/bin/psql is a Perl script that takes longer than the query. */
const psql = run('pg_config', ['--bindir']).then(({ stdout }) => `${stdout.trim()}/psql`, () => 'psql');

/** Asks a private Postgres as an operator would: over its socket, with its password. */
async function ask(postgres, query) {
  const password = readFileSync(`${postgres}/password`, 'utf8').trim();
  const flags = ['-h', `${postgres}/socket`, '-U', 'trailmark', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', query, 'trailmark'];
  const options = { env: { ...process.env, PGPASSWORD: password }, maxBuffer: 1 << 28 };
  const { stdout } = await run(await psql, flags, options);
  return stdout.trim();
}
