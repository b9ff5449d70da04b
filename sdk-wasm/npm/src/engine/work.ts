import type { Engine } from 'trailmark-wasm';

import type { Notice } from '../api';
import type { Inside } from '../inside';
import { inbox, type Inbox } from './inbox';
import type { Rows } from './rows';
import { sender, type Sender } from './sending';
import { engineStats } from './tickets';

/** An engine at work: from when this tab got the lock until it gives it up. */
export interface Work {
  rows_: Rows;
  inbox_: Inbox;
  sender_: Sender;
  /** Calls the engine. Nothing comes of it if the engine is no longer at work, or breaks. */
  call_<T>(use: (engine: Engine, now: number) => T): T | undefined;
  /** Something has changed: at the end of this task the engine is asked what to do, and what it wrote is saved. */
  touch_(): void;
  /** It does not work any more. */
  over_(): boolean;
  /** Hands the rows to whoever is next. */
  end_(): void;
}

/** Who wants to know. */
export interface Ears {
  /** What somebody should know. */
  notice_(notice: Notice): void;
  /** Something has changed. */
  changed_(work: Work): void;
  /** The engine is broken, for good. */
  broken_(why: unknown): void;
}

/** Puts an engine to work. */
export function work(client: Inside, rows: Rows, engine: Engine, ears: Ears): Work {
  let over = false;
  let touched = false;

  function call<T>(use: (engine: Engine, now: number) => T): T | undefined {
    if (over) return undefined;
    try {
      return use(engine, client.now_());
    } catch (why) {
      // A panic, or something as bad: its memory cannot be trusted any more. What was saved of it is still safe.
      over = true;
      ears.broken_(why);
      return undefined;
    }
  }

  const changes = () => call((engine) => engine.changes());

  function settle(): void {
    touched = false;
    self.sender_.poll_();
    if (rows.lasting_) call((engine) => engine.kept(rows.error_()));
    (JSON.parse(call((engine) => engine.notices()) ?? '[]') as Notice[]).forEach(ears.notice_);
    ears.changed_(self);
    if (rows.error_() && !engineStats(self)?.queued) rows.decided_();
    rows.save_(changes);
  }

  const self = {
    rows_: rows,
    call_: call,
    touch_() {
      if (!touched) queueMicrotask(settle);
      touched = true;
    },
    over_: () => over,
    end_() {
      call((engine, now) => engine.close(now));
      void rows.close_(changes);
      over = true;
      self.inbox_.spill_();
      engine.free();
    },
  } as Work;
  self.inbox_ = inbox(client, rows, self);
  self.sender_ = sender(client, self);
  return self;
}
