import type { Inside } from '../inside';

/** How long another tab may take to say that it has heard: 5 s. */
const HEARD_MS = 5_000;

/** How long it may take from then on: an attempt of 30 s, and what is around it. */
const ANSWER_MS = 40_000;

type Message =
  | { ask: number; method: string; args: unknown[] }
  | { heard: number }
  | { answer: number; value: unknown }
  | { want: true };

/** The tabs of a browser, talking. */
export interface Channel {
  /** Asks the tab that sends. Rejects if none answers, and if nobody has heard it when this tab becomes the one that sends. */
  ask_(method: string, args: unknown[]): Promise<unknown>;
  /** The person looks at this tab, so that it should be the one that sends. */
  want_(): void;
}

/** What this tab does when others talk. */
export interface Tab {
  /** Answers for the browser, if this tab is the one that sends. */
  answer_(method: string, args: unknown[]): Promise<unknown>;
  wanted_(): void;
}

/** Opens the channel of a client. A page without one is alone. */
export function openChannel(client: Inside, tab: Tab): Channel {
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(client.prefix_);
  const asked = new Map<number, { heard_(): void; answer_(value: unknown): void; unheard_(): void }>();
  const say = (message: Message) => channel?.postMessage(message);

  async function hear(message: Message): Promise<void> {
    if ('heard' in message) asked.get(message.heard)?.heard_();
    if ('answer' in message) asked.get(message.answer)?.answer_(message.value);
    if (!client.holds_) return;
    if ('want' in message) tab.wanted_();
    if ('ask' in message) {
      say({ heard: message.ask });
      say({ answer: message.ask, value: await tab.answer_(message.method, message.args) });
    }
  }
  if (channel) channel.onmessage = ({ data }) => void hear(data as Message);
  const { onHold_: held } = client;
  client.onHold_ = (holds) => {
    held?.(holds);
    if (holds) asked.forEach((question) => question.unheard_());
  };

  function ask(method: string, args: unknown[]): Promise<unknown> {
    const id = Math.random();
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(asked.delete(id));
      let timer = setTimeout(giveUp, HEARD_MS);
      const question = {
        heard_() {
          clearTimeout(timer);
          timer = setTimeout(giveUp, ANSWER_MS);
          question.unheard_ = () => {};
        },
        answer_: (value: unknown) => (clearTimeout(timer), asked.delete(id), resolve(value)),
        unheard_: giveUp,
      };
      asked.set(id, question);
      say({ ask: id, method, args });
    });
  }

  return { ask_: ask, want_: () => say({ want: true }) };
}
