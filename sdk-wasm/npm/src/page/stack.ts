/** Stacks as Chromium, Firefox and Safari write them, as frames. */
import type { Thrown } from '../api';

type Frame = NonNullable<Thrown['frames']>[number];

/** `file:line:column`, where the file may have colons itself; Safari has no column in some places. */
const PLACE = /^(.*?)(?::(\d+))?(?::(\d+))?$/;

/** `    at async Cart.pay (https://shop.example/app.js:10:5)`, `    at https://shop.example/app.js:10:5` */
const CHROMIUM = /^\s*at (?:async )?(?:(.+?) \()?(.+?)\)?$/;

/** `pay@https://shop.example/app.js:10:5`, `async*pay@…`, `global code@…` and, in Safari, the place alone. */
const OTHERS = /^(?:async\*)?(?:([^@]*)@)?((?:[a-z-]+:\/|\[native code\]).*)$/;

/** Characters of a stack that are read: enough for more frames than are kept. */
const CHARS = 20_000;

/** The frames of a stack, the innermost first. What is not known of one is `undefined`, which JSON leaves out. */
export function framesOf(stack: string): Frame[] {
  const lines = stack.slice(0, CHARS).split('\n');
  const matches = lines.map((line) => CHROMIUM.exec(line) ?? OTHERS.exec(line)).filter((match) => match !== null);
  return matches.map(([, name, place = '']) => frame(name, place));
}

function frame(name: string | undefined, place: string): Frame {
  const [, whole = '', line, column] = PLACE.exec(place) ?? [];
  // A query may be secret, and changes with releases.
  const file = whole.replace(/[?#].*/, '');
  const in_app = file.startsWith(location.origin + '/');
  const known = { function: name || undefined, file: /^[a-z-]+:/i.test(file) ? file : undefined };
  return { ...known, line: +line! || undefined, column: +column! || undefined, in_app } as Frame;
}
