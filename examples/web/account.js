// Who is logged in. With a real login, `identify` is called when it has succeeded, and `reset` when it ends.
import { trailmark } from './analytics.js';
import { h } from './dom.js';

const KEY = 'shop.user';
const people = [
  { id: 'user_ada', name: 'Ada', plan: 'club' },
  { id: 'user_grace', name: 'Grace', plan: 'guest' },
];

const current = () => people.find((person) => person.id === localStorage.getItem(KEY));

function logIn(person) {
  localStorage.setItem(KEY, person.id);
  // What this browser did so far becomes part of this person's story.
  trailmark.identify(person.id, { name: person.name, plan: person.plan }, { first_seen_in: 'shop' });
  show();
}

function logOut() {
  localStorage.removeItem(KEY);
  // The next person at this browser is somebody else. Events that still wait keep who they belong to.
  trailmark.reset();
  show();
}

export function show() {
  const person = current();
  document.querySelector('#account').replaceChildren(
    ...(person
      ? [h('span', { class: 'who' }, `Hello, ${person.name}`), h('button', { class: 'quiet', id: 'logout', click: logOut }, 'Log out')]
      : people.map((somebody) =>
          h('button', { class: 'quiet', id: `login-${somebody.id}`, click: () => logIn(somebody) }, `Log in as ${somebody.name}`))),
  );
}
