// Elements without innerHTML, so that a page that enforces Trusted Types can use them.

// h('a', { href: '/shop/', class: 'button' }, 'Teas'); a property that is a function listens: { click: () => … }.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat());
  return element;
}

export const euros = (cents) => `€${(cents / 100).toFixed(2)}`;
