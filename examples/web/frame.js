// What all pages of the shop have around them.
import * as account from './account.js';
import { trailmark } from './analytics.js';
import * as cart from './cart.js';
import { askOnce } from './consent.js';
import * as panel from './panel.js';

export function frame() {
  cart.showCount();
  account.show();
  panel.show(trailmark);
  askOnce();
}
