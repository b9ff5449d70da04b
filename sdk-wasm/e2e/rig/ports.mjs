/** Ports on which something listens, stops listening and listens again. */
import { createServer } from 'node:net';

/** Below the ports that the kernel gives to outgoing connections (from 32768), so that it is still free the next time. */
const RANGE = { from: 12_000, size: 20_000 };

let next = (process.pid % 200) * 100;

/** A free port of 127.0.0.1. */
export async function freePort() {
  for (;;) {
    const port = RANGE.from + (next++ % RANGE.size);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
