import { Engine } from 'trailmark-wasm';

import type { Notice } from '../api';
import type { Inside } from '../inside';
import { nextTask } from '../task';
import { load } from './load';
import { noRows, openRows } from './rows';
import { settings } from './settings';
import { work, type Work } from './work';

/** Where the store keeps whose data is to be erased, until the engine has it: a request that nothing may lose. */
export const ERASE = 'x';

/** The engine comes and goes with the lock. */
export interface Holding {
  /** The engine, while it is at work in this tab. */
  work_(): Work | undefined;
  /** Resolves when it is at work and has taken what was there, or when it is clear that it does not come. */
  ready_(): Promise<void>;
  /** Tells the engine what the person wants. */
  consent_(): void;
  /** Has this person's data erased, now or as soon as there is an engine. */
  erase_(anonymousId?: string, userId?: string): void;
  /** Another tab wants to be the one that sends. */
  wanted_(): void;
  /** Nobody looks at this tab any more. */
  hidden_(): void;
  /** The page ends. */
  leave_(): void;
  /** Nothing more is captured in this page. */
  stop_(): void;
}

/** What the rest of the page is told of. */
export interface Told {
  notice_(notice: Notice): void;
  /** Something has changed in the engine. */
  changed_(work: Work): void;
  /** The engine is about to give its rows to another tab. */
  ending_(work: Work): void;
}

/** What the engine asks of the page. */
const host = { random: (bytes: Uint8Array<ArrayBuffer>) => void crypto.getRandomValues(bytes) };

/** Resolves when the page has loaded and has nothing to do. */
function rest(): Promise<void> {
  return new Promise((settle) => {
    const idle = () => (window.requestIdleCallback || setTimeout)(() => settle());
    if (document.readyState == 'complete') idle();
    else addEventListener('load', idle);
  });
}

/** Puts an engine to work whenever this tab has the lock. */
export function hold(client: Inside, told: Told): Holding {
  const { store_: store } = client;
  let current: Work | undefined;
  let ready = Promise.resolve();
  /** Counts the times that the lock came or went: what was begun before is out of date. */
  let turn = 0;
  let wanted = false;
  let stopped = false;

  async function begin(): Promise<void> {
    const mine = ++turn;
    try {
      await rest();
      if (mine !== turn) return;
      const opening = store.lasting_ ? openRows(client.prefix_, client.now_) : noRows();
      const [rows, text] = await Promise.all([opening, settings(client), load()]);
      await nextTask();
      if (mine !== turn) return void rows.close_();
      const engine = Engine.open(host, text, rows.found_, client.now_());
      current = work(client, rows, engine, { notice_: told.notice_, changed_: told.changed_, broken_: (why) => void broken(why) });
      takeInstall(engine);
      consent();
      erase();
      await nextTask();
      if (mine !== turn) return;
      await current?.inbox_.empty_();
      if (mine === turn) takeRecords();
    } catch (why) {
      if (mine === turn) giveUp(why);
    }
  }

  /** Records of this page go to the engine, if it is at work; none does when the client was shut down. */
  function takeRecords(): void {
    const refuse = (id: string) => {
      store.set_(`q.${id}`, '!shut_down');
      return 'shut_down';
    };
    client.take_ = stopped ? refuse : current?.inbox_.take_;
  }

  /** Whose the records are that the stub sends: see `Who`. Data that is erased ends an install. */
  function takeInstall(engine: Engine): void {
    const who = client.who_();
    const i = engine.install_id();
    if (who.i !== i || !who.t) client.save_({ ...who, i, t: 1 });
  }

  function consent(): void {
    const out = client.isOptedOut();
    current?.call_((engine, now) => engine.set_opted_out(out, now));
    current?.touch_();
  }

  function erase(anonymousId?: string, userId?: string): void {
    if (anonymousId) store.set_(ERASE, JSON.stringify({ anonymous_id: anonymousId, user_id: userId }));
    const identity = store.get_(ERASE);
    if (!identity || !current) return;
    current.call_((engine, now) => {
      engine.delete_my_data(identity, now);
      takeInstall(engine);
    });
    current.rows_.note_('', () => store.remove_(ERASE));
    current.touch_();
  }

  /** What it had saved is safe, and waits for the next page; the rest is the plain sender's. */
  async function broken(why: unknown): Promise<void> {
    const ending = current!;
    current = undefined;
    takeRecords();
    told.ending_(ending);
    await ending.rows_.close_();
    ending.inbox_.spill_();
    giveUp(why);
  }

  function giveUp(why: unknown): void {
    client.plain_ = true;
    told.notice_({ kind: 'engine_failed', detail: String(why) });
    void client.send_();
  }

  function end(): void {
    turn++;
    // What is in memory alone is nobody else's, unless the person now allows that something is stored.
    if (!current || !(current.rows_.lasting_ || store.lasting_)) return;
    const ending = current;
    current = undefined;
    takeRecords();
    told.ending_(ending);
    ending.end_();
  }

  function held(holds: boolean): void {
    if (!holds) return end();
    client.plain_ ||= client.options_.engineUrl === false;
    if (!current && !client.plain_) ready = begin();
  }

  /** A tab that nobody looks at lets another one send that somebody does. */
  function giveWay(): void {
    if (!wanted || !client.holds_ || document.visibilityState !== 'hidden') return;
    wanted = false;
    client.yield_();
  }

  function hidden(): void {
    // On a phone nothing more may ever be heard of this page.
    current?.sender_.hurry_(true);
    giveWay();
  }

  function leave(): void {
    current?.sender_.part_();
    // While it has not taken everything: what it has is not for the stub to send.
    if (current) takeRecords();
  }

  client.onHold_ = held;
  if (client.holds_) held(true);
  return {
    work_: () => current,
    ready_: () => ready,
    consent_: consent,
    erase_: erase,
    wanted_: () => ((wanted = true), giveWay()),
    hidden_: hidden,
    leave_: leave,
    stop_: () => ((stopped = true), takeRecords()),
  };
}
