// Trailmark in this shop: one client, and the visitor's choice whether it may count.
import { watched } from './panel.js';

const CHOICE = 'shop.consent';

// Nothing is captured or stored before the visitor has said yes.
const options = {
  consent: localStorage.getItem(CHOICE) === 'yes' ? 'granted' : 'denied',
  privacySignals: 'anonymous',
  requests: ['/shop/'],
  context: { app: { name: 'tidewater', version: '1.0.0' } },
};

// A blocker may keep the script away, and then the shop still sells tea: every call does nothing.
const nothing = new Proxy({}, { get: () => async () => ({}) });
const client = window.trailmark?.init('tm_pk_YOUR_WRITE_KEY', options) ?? nothing;

// Only for the panel in the corner, which shows the calls. Your page would use `client` itself.
export const trailmark = watched(client);

// From now on in every event of this visitor.
trailmark.register({ currency: 'EUR' });

export const hasChosen = () => localStorage.getItem(CHOICE) !== null;

export function choose(yes) {
  localStorage.setItem(CHOICE, yes ? 'yes' : 'no');
  if (yes) trailmark.optIn();
  else trailmark.optOut();
}
