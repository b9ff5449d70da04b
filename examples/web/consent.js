// Asks once whether visits may be counted.
import { choose, hasChosen } from './analytics.js';
import { h } from './dom.js';

export function askOnce() {
  if (hasChosen()) return;
  const banner = h('section', { class: 'consent', 'aria-label': 'Privacy' },
    h('p', {}, 'May we count what you do here? It stays on our own server, and you can change your mind.'),
    h('button', { id: 'consent-yes', click: () => decide(true) }, 'Yes, count'),
    h('button', { id: 'consent-no', class: 'quiet', click: () => decide(false) }, 'No'));
  const decide = (yes) => {
    choose(yes);
    banner.remove();
  };
  document.body.append(banner);
}
