import { describe, expect, it } from 'vitest';

import { decide } from '../src/engine/inbox';
import { bothReports, browserStats, plainReport, type EngineStats } from '../src/engine/report';
import { queueBytes } from '../src/engine/settings';

const MIB = 1024 * 1024;

describe('the inbox', () => {
  it('captures a record', () => expect(decide('{"id":"a"}', false)).toEqual(['capture', '{"id":"a"}']));
  it('counts what the stub has refused', () => expect(decide('!too_deep', false)).toEqual(['refuse', 'too_deep']));
  it('forgets what was taken before, whatever it says', () => {
    for (const record of ['{"id":"a"}', '!too_deep']) expect(decide(record, true)[0]).toBe('forget');
  });
});

describe('the queue', () => {
  it('takes 5 MiB if the page has enough room', () => {
    expect(queueBytes(undefined, 1000 * MIB)).toBe(5 * MIB);
    expect(queueBytes(undefined, undefined)).toBe(5 * MIB);
  });
  it('never takes more than a tenth of it', () => {
    expect(queueBytes(undefined, 10 * MIB)).toBe(MIB);
    expect(queueBytes(100 * MIB, 10 * MIB)).toBe(MIB);
  });
  it('takes what the page says, if that is a number', () => {
    expect(queueBytes(1000.4, undefined)).toBe(1000);
    expect(queueBytes(NaN, undefined)).toBe(5 * MIB);
    expect(queueBytes(-1, undefined)).toBe(0);
  });
});

const engine: EngineStats = {
  captured: 10, delivered: 6, dropped: { too_large: 1, expired: 1 }, queued: 2, queued_bytes: 900, attempts: 3, last_error: 'no', paused: false, storage: 'saved', truncated: 4,
};
const plain = { i: 'p', captured: 9, delivered: 3, dropped: { too_large: 2 } };

describe('the numbers of a browser', () => {
  const known = { plain_: plain, waiting_: [100, 200, 300, 400], storage_: 'saved', optedOut_: false, ignored_: 5, sender_: 'engine' } as const;

  it('are those of both senders and of what nobody has numbered', () => {
    const stats = browserStats({ ...known, waiting_: [...known.waiting_], engine_: engine });
    expect(stats).toMatchObject({ captured: 19, delivered: 9, dropped: { too_large: 3, expired: 1 }, queued: 6, queuedBytes: 1900, ignored: 5 });
    const dropped = Object.values(stats.dropped).reduce((all, count) => all + count);
    expect(stats.captured).toBe(stats.delivered + dropped + stats.queued);
  });
  it('are those of the plain sender where there is no engine', () => {
    const stats = browserStats({ ...known, waiting_: [...known.waiting_], engine_: undefined });
    expect(stats).toMatchObject({ captured: 9, delivered: 3, dropped: { too_large: 2 }, queued: 4, queuedBytes: 1000 });
  });
});

describe('reports', () => {
  it('of the plain sender tell what has changed meanwhile', () => {
    const after = { ...plain, delivered: 5, dropped: { too_large: 2, expired: 1 } };
    expect(plainReport(plain, after, 7)).toEqual({ delivered: 2, dropped: { expired: 1 }, pending: 7 });
  });
  it('of both senders are one', () => {
    const one = { delivered: 1, dropped: { expired: 1 }, pending: 2 };
    expect(bothReports(one, { delivered: 3, dropped: { expired: 1, too_large: 1 }, pending: 4 })).toEqual({
      delivered: 4, dropped: { expired: 2, too_large: 1 }, pending: 6,
    });
  });
});
