import type { Start } from '../inside';
import { startPage } from '../page';
import { answers } from './answers';
import { openChannel } from './channel';
import { hold } from './holding';
import { newTickets } from './tickets';
import { watch } from './watching';

/**
 * The driver of the Rust engine, the sister of `sdk-core/src/native/driver.rs`: it gives the engine the page's clock, network
 * and storage, and asks it what to do. All decisions about events are the engine's.
 */
export const start: Start = (client) => {
  startPage(client);
  const tickets = newTickets();
  const holding = hold(client, {
    notice_: (notice) => answering.notice_(notice),
    changed_: tickets.look_,
    ending_: (work) => tickets.look_(work, true),
  });
  const channel = openChannel(client, { answer_: (method, args) => answering.forAll_(method, args), wanted_: holding.wanted_ });
  const answering = answers(client, holding, tickets, channel.ask_);
  const seen = () => {
    if (!client.holds_) channel.want_();
  };

  watch(client, holding, seen, holding.hidden_);
  client.answer_ = answering.here_;
  for (const [method, args, settle] of client.waiting_.splice(0)) settle(answering.here_(method, args));
  if (document.visibilityState !== 'hidden') seen();
};
