// The shop's pages. Each returns what belongs into <main>; pageviews are captured by the SDK, from the address alone.
import { trailmark } from './analytics.js';
import * as cart from './cart.js';
import { teaOf, teas } from './catalog.js';
import { euros, h } from './dom.js';

const facts = (tea) => ({ product_id: tea.id, name: tea.name, price: tea.price / 100 });

const tin = (tea) =>
  h('div', { class: `tin ${tea.id}`, 'aria-hidden': 'true' }, h('span', { class: 'lid' }), h('span', { class: 'label' }, tea.kind));

function add(tea) {
  cart.change(tea.id, 1);
  trailmark.track('product_added', facts(tea));
}

const card = (tea) =>
  h('article', { class: 'card' },
    h('a', { href: `/shop/tea/${tea.id}` }, tin(tea), h('h2', {}, tea.name)),
    h('p', {}, tea.note),
    h('div', { class: 'buy' },
      h('b', {}, euros(tea.price)),
      h('button', { id: `add-${tea.id}`, click: () => add(tea) }, 'Add')));

export const products = () => [
  h('section', { class: 'hero' },
    h('p', { class: 'eyebrow' }, 'Spring harvest'),
    h('h1', {}, 'Tea that waited for the tide'),
    h('p', {}, 'Six teas from people we know, in tins that keep them honest.')),
  h('section', { class: 'grid' }, teas.map(card)),
];

export function tea(id) {
  const found = teaOf(id);
  if (!found) return nowhere();
  trailmark.track('product_viewed', facts(found));
  return [
    h('section', { class: 'one' },
      tin(found),
      h('div', {},
        h('p', { class: 'eyebrow' }, found.kind),
        h('h1', {}, found.name),
        h('p', {}, found.note),
        h('p', { class: 'price' }, euros(found.price)),
        h('button', { id: 'add', click: () => add(found) }, 'Add to cart'))),
  ];
}

export function basket(again) {
  if (cart.count() === 0) return [h('h1', {}, 'Your cart is empty'), h('p', {}, h('a', { class: 'button', href: '/shop/' }, 'See the teas'))];
  const change = (line, by) => {
    cart.change(line.tea.id, by);
    if (by < 0) trailmark.track('product_removed', facts(line.tea));
    again();
  };
  const row = (line) =>
    h('tr', {},
      h('th', { scope: 'row' }, line.tea.name),
      h('td', {},
        h('button', { class: 'step', 'aria-label': `Less ${line.tea.name}`, click: () => change(line, -1) }, '−'),
        ` ${line.count} `,
        h('button', { class: 'step', 'aria-label': `More ${line.tea.name}`, click: () => change(line, 1) }, '+')),
      h('td', {}, euros(line.count * line.tea.price)));
  return [
    h('h1', {}, 'Your cart'),
    h('table', { class: 'lines' }, h('tbody', {}, cart.lines().map(row)),
      h('tfoot', {}, h('tr', {}, h('th', { scope: 'row', colspan: '2' }, 'Total'), h('td', {}, euros(cart.total()))))),
    h('p', {}, h('a', { class: 'button', id: 'to-checkout', href: '/shop/checkout' }, 'To the checkout')),
  ];
}

export function checkout(go) {
  trailmark.track('checkout_started', { items: cart.count(), total: cart.total() / 100 });
  const company = h('input', { name: 'company', autocomplete: 'organization', placeholder: 'optional' });
  const voucher = h('input', { name: 'voucher', autocomplete: 'off', placeholder: 'LOWTIDE' });
  const said = h('p', { class: 'said', role: 'status' });
  const price = h('p', { class: 'price' });
  let percentOff = 0;
  const total = () => Math.round((cart.total() * (100 - percentOff)) / 100);
  const showPrice = () => (price.textContent = euros(total()));
  showPrice();

  const redeem = async () => {
    try {
      const vouchers = await (await fetch('/shop/vouchers.json')).json();
      if (!(voucher.value in vouchers)) throw new RangeError(`no voucher ${voucher.value}`);
      percentOff = vouchers[voucher.value];
      showPrice();
      said.textContent = `${percentOff} % off.`;
      trailmark.track('voucher_redeemed', { percent: percentOff });
    } catch (error) {
      said.textContent = 'This voucher is not one of ours.';
      // Caught and handled, and still worth knowing.
      trailmark.captureException(error, { step: 'voucher' });
    }
  };
  const order = (event) => {
    event.preventDefault();
    if (company.value) trailmark.group('company', company.value.trim().toLowerCase(), { name: company.value });
    trailmark.track('order_completed', {
      total: total() / 100,
      items: cart.lines().map((line) => ({ product_id: line.tea.id, count: line.count })),
    });
    cart.empty();
    go('/shop/thanks');
  };
  return [
    h('h1', {}, 'Checkout'),
    h('form', { class: 'checkout', submit: order },
      // Nobody's name is anybody's business: nothing in here is ever captured.
      h('label', { 'data-tm-ignore': true }, 'Name', h('input', { name: 'name', autocomplete: 'name', required: true })),
      h('label', {}, 'Company', company),
      h('label', {}, 'Voucher', h('span', { class: 'joined' }, voucher, h('button', { type: 'button', class: 'quiet', id: 'redeem', click: redeem }, 'Redeem'))),
      said,
      price,
      h('button', { id: 'order' }, 'Order'),
      // No handler catches this one: the SDK reports it by itself.
      h('button', { type: 'button', class: 'quiet', id: 'break', click: () => { throw new TypeError('the kettle boiled over'); } }, 'Break something')),
  ];
}

export const thanks = () => [
  h('section', { class: 'hero' },
    h('h1', {}, 'Thank you'),
    h('p', {}, 'Your tea is on its way, or would be.'),
    h('p', {}, h('a', { class: 'button', href: '/shop/' }, 'More tea'))),
];

export const nowhere = () => [h('h1', {}, 'There is no such page'), h('p', {}, h('a', { class: 'button', href: '/shop/' }, 'See the teas'))];
