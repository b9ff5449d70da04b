import type { Start } from '../inside';
import { openLock } from '../lock';
import { startPage } from '../page';
import { prepare } from '../prepare';
import { nextTask } from '../task';
import { answers } from './answers';
import { openChannel } from './channel';
import { hold } from './holding';
import { newTickets } from './tickets';
import { watch, watchConsent } from './watching';

/**
 * The driver of the Rust engine, the sister of `sdk-core/src/native/driver.rs`: it gives the engine the page's clock, network
 * and storage, and asks it what to do. All decisions about events are the engine's.
 */
export const start: Start = async (client) => {
  await nextTask();
  prepare(client);
  await nextTask();
  openLock(client);
  const tickets = newTickets();
  const holding = hold(client, {
    notice_: (notice) => answering.notice_(notice),
    changed_: tickets.look_,
    ending_: (work) => tickets.look_(work, true),
  });
  const channel = openChannel(client, { answer_: (method, args) => answering.forAll_(method, args), wanted_: holding.wanted_ });
  const answering = answers(client, holding, tickets, channel.ask_);
  const seen = () => {
    if (document.visibilityState !== 'hidden' && !client.holds_) channel.want_();
  };

  const { leave_ } = client;
  client.leave_ = () => {
    holding.leave_();
    leave_();
  };
  watchConsent(client, holding);
  watch(client, holding, seen);
  await startPage(client);
  await nextTask();
  Object.assign(client, answering.here_);
  client.replay_();
  seen();
};
