/** Marks that turn the direction of what follows; unseen, they make a text look like another. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** JSON to be read by people: indented, and with nothing in it that rearranges the page. It is still JSON. */
export function pretty(value: unknown): string {
  const json = JSON.stringify(value, null, 2) ?? 'null';
  return json.replace(TURNS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
