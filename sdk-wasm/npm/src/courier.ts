/** Sends records as they are, where the engine file is not there yet, or does not come. */
import type { Stub } from './begin';

type Receipt = { accepted: number; results: { index: number; result: string; reason: string }[] };

/** How long the courier waits after a request; it doubles from failure to failure, up to 5 minutes. */
const PAUSE_MS = 3e4;
const LONGEST_MS = 3e5;

/** The keys of what waits. */
const keysOf = ({ kept_, prefix_ }: Stub): string[] => Object.keys(kept_).filter((key) => key.includes(prefix_ + 'q.'));

/**
 * Sends what was recorded, and says whether that went well. Nothing is numbered, so that what was sent and not heard of can
 * be sent again by anybody: the server knows the ids. What is lost stays as a record of why, for the engine to count.
 *
 * `install` (JSON): the page ends. Whoever numbers these records later has this install's id and sends them again, so they
 * say whose they are, and stay. Otherwise nobody will ever count what was heard of: it belongs to no install; and what was
 * not heard of the server gives to the install that sends it again.
 */
export async function send(client: Stub, install: string | null = null): Promise<1 | void> {
  const { kept_ } = client;
  // 60,000 bytes where each character has three: below the 64 KiB that may be on their way as a page ends.
  let room = 2e4;
  const keys = keysOf(client).filter((key) => kept_[key]![0] != '!' && kept_[key]!.length < room && (room -= kept_[key]!.length));
  try {
    if (keys[0]) {
      const answer = await fetch(`${client.host_}/v1/batch?key=${client.key_}&sent_at=${new Date().toISOString()}`, {
        method: 'POST',
        keepalive: true,
        body: `{"install_id":${install},"batch":[${keys.map((key) => kept_[key])}]}`,
      });
      const { accepted, results }: Receipt = await answer.json();
      // A receipt that does not account for every event is none.
      if (install || accepted + results.length != keys.length) return;
      for (const { index, result, reason } of results) {
        if (result != 'retry') kept_[keys[index]!] = '!' + reason;
        delete keys[index];
      }
      keys.map((key) => delete kept_[key]);
    }
    return 1;
  } catch {
    // Nobody has answered, or with no receipt.
  }
}

/** The engine file does not come: sends now and then, and says of calls that want an answer what is known. */
export function sendAlone(client: Stub): void {
  const loop = async (wait: number): Promise<unknown> =>
    setTimeout(loop, (wait = (await send(client)) ? PAUSE_MS : Math.min(wait * 2, LONGEST_MS)), wait);
  client.flush = client.shutdown = client.stats = async () => {
    const queued = keysOf(client).length;
    return { delivered: 0, dropped: {}, queued, pending: queued, sender: 'plain' } as never;
  };
  client.waiting_.map((call) => call[2](client.flush()));
  loop(PAUSE_MS);
}
