// The cart, kept in this browser: how many of each tea.
import { teaOf } from './catalog.js';

const KEY = 'shop.cart';

export function lines() {
  const counts = Object.entries(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  return counts.map(([id, count]) => ({ tea: teaOf(id), count })).filter(({ tea }) => tea);
}

export const count = () => lines().reduce((sum, line) => sum + line.count, 0);
export const total = () => lines().reduce((sum, line) => sum + line.count * line.tea.price, 0);

export function change(id, by) {
  const counts = JSON.parse(localStorage.getItem(KEY) ?? '{}');
  counts[id] = (counts[id] ?? 0) + by;
  if (counts[id] <= 0) delete counts[id];
  save(counts);
}

export const empty = () => save({});

function save(counts) {
  localStorage.setItem(KEY, JSON.stringify(counts));
  showCount();
}

export function showCount() {
  document.querySelector('#cart-count').textContent = String(count());
}
