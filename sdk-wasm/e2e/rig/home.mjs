/** A folder of a test's processes, and the certainty that nothing of it stays. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';

/**
 * Ends what runs in the folder once our end of the pipe is closed, by `leave` or by our death, and removes the folder.
 * The same as in cli/tests/e2e/support/home.rs: Postgres is asked to quit, so that it frees its shared memory; everything
 * else is killed; after five seconds everything is. The name comes through the pipe, so that the script does not find itself.
 */
const WATCHDOG = `
read -r dir
cat >/dev/null
ours() {
    { grep -lsaF "$dir" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
      find /proc -maxdepth 2 -name cwd -lname "$dir*" 2>/dev/null
    } | cut -d/ -f3 | sort -u
}
try=0
while pids=$(ours); [ -n "$pids" ] && [ $try -lt 60 ]; do
    for pid in $pids; do
        case "$try $(cat /proc/$pid/comm 2>/dev/null)" in
            ?" "postgres|[1-4]?" "postgres) kill -CONT $pid; kill -QUIT $pid;;
            *) kill -KILL $pid;;
        esac
    done 2>/dev/null
    try=$((try + 1))
    sleep 0.1
done
rm -rf "$dir"
`;

/** Makes a folder that Postgres's account can pass through. `leave` ends its processes and removes it. */
export function makeHome() {
  const path = mkdtempSync('/tmp/trailmark-web-');
  chmodSync(path, 0o755);
  const watchdog = spawn('sh', ['-c', WATCHDOG], { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watchdog.stdin.write(`${path}\n`);
  watchdog.unref();
  watchdog.stdin.unref?.();
  const leave = () =>
    new Promise((resolve) => {
      watchdog.ref();
      watchdog.once('exit', resolve);
      watchdog.stdin.end();
    });
  return { path, leave };
}
