// A single-page app of forty lines: links of the shop change the address and the view, without a document being loaded.
import { frame } from './frame.js';
import * as views from './views.js';

const ROOT = '/shop/';
const titles = { '': 'Tidewater Tea', cart: 'Your cart', checkout: 'Checkout', thanks: 'Thank you' };

function viewOf(path) {
  const [first, second] = path.split('/');
  switch (first) {
    case '': return views.products();
    case 'tea': return views.tea(second);
    case 'cart': return views.basket(draw);
    case 'checkout': return views.checkout(go);
    case 'thanks': return views.thanks();
    default: return views.nowhere();
  }
}

function draw() {
  const path = location.pathname.slice(ROOT.length);
  document.title = titles[path] ?? 'Tidewater Tea';
  document.querySelector('#view').replaceChildren(...viewOf(path));
}

function go(address) {
  history.pushState(null, '', address);
  draw();
  scrollTo(0, 0);
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  const isOurs = link?.origin === location.origin && link.pathname.startsWith(ROOT) && !link.pathname.includes('.');
  if (!isOurs || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener('popstate', draw);

frame();
draw();
