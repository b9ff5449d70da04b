/** Sends records as they are, where the engine file is not there yet, or does not come. */
import type { Stub } from './begin';

type Receipt = { accepted: number; results: { index: number; result: string; reason: string }[] };

/**
 * Sends what was recorded, also if the page ends now. Nothing is numbered, so that what was sent and not heard of can be
 * sent again by anybody: the server knows the ids. What is lost stays as a record of why, for the engine to count.
 */
export function send({ kept_, prefix_, host_, key_ }: Stub): void {
  // 60,000 bytes where each character has three: below the 64 KiB that may be on their way as a page ends.
  let room = 2e4;
  const keys = Object.keys(kept_).filter((key) => {
    const text = kept_[key]!;
    return key.includes(prefix_ + 'q.') && text[0] != '!' && text.length < room && (room -= text.length);
  });
  if (keys[0])
    fetch(`${host_}/v1/batch?key=${key_}&sent_at=${new Date().toISOString()}`, {
      method: 'POST',
      keepalive: true,
      body: `{"batch":[${keys.map((key) => kept_[key])}]}`,
    })
      .then((answer) => answer.json())
      .then(({ accepted, results }: Receipt) => {
        // A receipt that does not account for every event is none.
        if (accepted + results.length != keys.length) return;
        for (const { index, result, reason } of results) {
          if (result != 'retry') kept_[keys[index]!] = '!' + reason;
          delete keys[index];
        }
        keys.map((key) => delete kept_[key]);
      })
      .catch(() => {});
}
