/** What is said of an element that was clicked: its structure, and nothing that a person typed. */

import type { Properties } from '../api';

/** Elements that are described, from the one that was clicked outwards: 5, each of at most 9 short keys. */
const DEPTH = 5;

/** Characters of an attribute; longer ones are made by a machine. */
const NAME_CHARS = 80;

/** Classes of an element: utility frameworks write dozens. */
const CLASSES = 8;

/** Characters of a text. */
const TEXT_CHARS = 100;

/** Attributes that the page's author chose and that name no person. */
const ATTRIBUTES = ['id', 'name', 'type', 'role', 'data-testid'];

/** Nothing is captured of these and of what is in them: asked to be left alone, written by the visitor, or secret. */
const PRIVATE =
  '[data-tm-ignore],[contenteditable]:not([contenteditable=false]),[type=password],[autocomplete^=cc-],' +
  '[autocomplete=one-time-code],' +
  ['card', 'cvc', 'cvv', 'passw'].map((part) => `input[name*=${part} i],input[id*=${part} i]`);

/** What a click on it, or in it, is meant for. */
const INTERACTIVE =
  'a,button,input,select,textarea,summary,[onclick],[data-tm-name],[role=button],[role=link],[role=tab],' +
  '[role=switch],[role=option],[role^=menuitem]';

/** Parts whose text may be what a visitor typed or chose. */
const FILLED = `input,textarea,select,script,style,${PRIVATE}`;

/** The elements of an event from the innermost outwards, through open shadow roots; none if any of them is private. */
export function elementsOf(event: Event): Element[] {
  const path = event.composedPath().filter((node): node is Element => node instanceof Element);
  return path.some((element) => element.matches(PRIVATE)) ? [] : path;
}

/** The elements from the one on that a click was meant for. */
export function fromInteractive(path: Element[]): Element[] {
  const at = path.findIndex((element) => element.matches(INTERACTIVE));
  return at < 0 ? [] : path.slice(at);
}

/** PostHog's `$elements`, from the innermost outwards, without texts and values. */
export function described(path: Element[]): Properties[] {
  return path.slice(0, DEPTH).map((element) => {
    const said: Properties = { tag_name: element.localName, nth_of_type: nthOfType(element) };
    if (element.classList[0]) said['classes'] = [...element.classList].slice(0, CLASSES);
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (value) said[`attr__${name}`] = value.slice(0, NAME_CHARS);
    }
    const href = element.getAttribute('href');
    if (href) said['attr__href'] = addressOf(href);
    return said;
  });
}

/** Where a link goes, without what may be secret or a person: a query, a fragment, a mail address. */
function addressOf(href: string): string {
  const url = new URL(href, location.href);
  return /^http/.test(url.protocol) ? url.origin + url.pathname : url.protocol;
}

function nthOfType(element: Element): number {
  let nth = 1;
  for (let other = element.previousElementSibling; other; other = other.previousElementSibling)
    if (other.localName === element.localName) nth += 1;
  return nth;
}

/** The name that the page's author gave: the innermost `data-tm-name`. */
export function nameOf(path: Element[]): string | null | undefined {
  return path.map((element) => element.getAttribute('data-tm-name')).find(Boolean);
}

/** The beginning of an element's text, without what is private or typed. To be {@link masked}. */
export function shown(element: Element, chars = TEXT_CHARS): string {
  let text = '';
  if (element.matches(FILLED)) return text;
  for (const node of element.childNodes) {
    if (text.length >= chars) break;
    if (node instanceof Text) text += node.data;
    if (node instanceof Element) text += shown(node, chars - text.length);
  }
  return text;
}

/** Mail addresses and all digits are masked: what is left says which button it was, not whose. */
export function masked(text: string): string {
  return text.replace(/\S+@\S+|\d+/g, '*').replace(/\s+/g, ' ').trim().slice(0, TEXT_CHARS);
}
