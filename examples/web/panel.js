// The panel in the corner: the calls this page made, and what became of its events. Only for the demonstration.
import { h } from './dom.js';

// How many calls it shows, and how often it asks for the numbers, in milliseconds.
const SHOWN = 5;
const EVERY = 1000;

const calls = h('ol', { class: 'calls' });
const numbers = h('dl', { class: 'numbers' });
const said = h('p', { class: 'said', role: 'status' });

// The same client, with each call noted.
export const watched = (client) =>
  new Proxy(client, {
    get(target, name) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...given) => {
        if (!['stats', 'flush', 'on'].includes(name)) note(String(name), given);
        return member.apply(target, given);
      };
    },
  });

function note(name, given) {
  const text = given.map((value) => (value instanceof Error ? `Error(${value.message})` : JSON.stringify(value))).join(', ');
  calls.prepend(h('li', {}, h('b', {}, name), `(${text})`));
  while (calls.children.length > SHOWN) calls.lastChild.remove();
}

export function show(client) {
  const sendNow = async () => {
    const report = await client.flush();
    said.textContent = `flush: ${report.delivered} delivered, ${report.pending} pending`;
  };
  const refresh = async () => draw(await client.stats());
  client.on?.('notice', (notice) => (said.textContent = `${notice.kind}: ${notice.detail}`));
  document.body.append(
    h('details', { class: 'panel', 'data-tm-ignore': true, toggle: refresh },
      h('summary', {}, 'What Trailmark does'),
      numbers,
      h('button', { id: 'flush', class: 'quiet', click: sendNow }, 'Send now'),
      said,
      h('h2', {}, 'Calls of this page'),
      calls));
  setInterval(refresh, EVERY);
  refresh();
}

function draw(stats) {
  const row = (name, value) => [h('dt', {}, name), h('dd', {}, String(value ?? '–'))];
  const dropped = Object.values(stats.dropped ?? {}).reduce((sum, count) => sum + count, 0);
  numbers.replaceChildren(
    ...row('captured', stats.captured),
    ...row('delivered', stats.delivered),
    ...row('waiting', stats.queued),
    ...row('dropped', dropped),
    ...row('sent by', stats.sender),
    ...row('kept', stats.storage));
}
