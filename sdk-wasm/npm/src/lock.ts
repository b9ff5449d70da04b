/** The browser's one lock of a client: its holder numbers and sends the records of all tabs. */
import type { Inside } from './inside';

/** How long a lease holds without a heartbeat, and how often the heart beats. Timers of hidden tabs run once a minute. */
const LEASE_MS = 9e4;
const BEAT_MS = 3e3;

/** Asks for the lock, gives a client its `yield_`, and gives the lock up while the page is away: see `leave_`. */
export function openLock(client: Inside): void {
  const { leave_: sendCopy } = client;
  let free = () => {};
  const hold = (holds: boolean): void => {
    if (client.holds_ == holds) return;
    client.holds_ = holds;
    client.onHold_?.(holds);
    client.send_();
  };
  const ask = () => {
    free = (client.store_.lasting_ ? (navigator.locks ? byWebLock : byLease) : alone)(client, hold);
  };
  const giveUp = () => {
    hold(false);
    free();
  };
  client.yield_ = () => {
    giveUp();
    ask();
  };
  client.leave_ = () => {
    if (client.plain_) client.send_(true);
    else if (!client.take_) sendCopy();
    giveUp();
  };
  addEventListener('pageshow', ({ persisted }) => persisted && ask());
  ask();
}

/** Nobody else sees what is only in this page's memory. */
function alone(_: Inside, hold: (holds: boolean) => void): () => void {
  hold(true);
  return () => {};
}

/** Returns what gives the lock, or the wait for it, up. */
function byWebLock(client: Inside, hold: (holds: boolean) => void): () => void {
  const stop = new AbortController();
  let free = () => stop.abort();
  const held = () => {
    hold(true);
    return new Promise<void>((done) => (free = done));
  };
  navigator.locks.request(client.prefix_, { signal: stop.signal }, held).catch(() => {});
  return () => free();
}

/** Where there are no Web Locks (pages without https, old browsers): a lease in localStorage, held from its second beat on. */
function byLease(client: Inside, hold: (holds: boolean) => void): () => void {
  const me = Math.random();
  const beat = () => {
    const [owner, until] = JSON.parse(client.store_.get_('l') || '[]');
    const mine = owner == me;
    if (mine || !(until > client.now_())) client.store_.set_('l', JSON.stringify([me, client.now_() + LEASE_MS]));
    hold(mine);
  };
  const timer = setInterval(beat, BEAT_MS);
  beat();
  return () => {
    clearInterval(timer);
    if (client.holds_) client.store_.remove_('l');
  };
}
