/** Stacks as Chromium, Firefox and Safari write them, as frames. */
import type { Thrown } from '../api';

type Frame = NonNullable<Thrown['frames']>[number];

/** `file:line:column`, where the file may have colons itself; Safari has no column in some places. */
const PLACE = /^(.*?)(?::(\d+))?(?::(\d+))?$/;

/** `    at async Cart.pay (https://shop.example/app.js:10:5)`, `    at https://shop.example/app.js:10:5` */
const CHROMIUM = /^\s*at (?:async )?(?:(.+?) \()?(?:eval at .*?, )?(.+?)\)?$/;

/** `pay@https://shop.example/app.js:10:5`, `async*pay@…`, `global code@…` and, in Safari, the place alone. */
const OTHERS = /^(?:async\*)?(?:([^@]*)@)?((?:[a-z-]+:\/|\[native code\]).*)$/;

/** Frames that are read at most: more than are kept of any error. */
const FRAMES = 64;

/** The frames of a stack, the innermost first. What is not known of one is left out. */
export function framesOf(stack: string): Frame[] {
  const lines = stack.split('\n').filter((line) => line.length < 2_000);
  const isChromium = lines.some((line) => /^\s*at .*[:)\d>]$/.test(line));
  const matches = lines.map((line) => (isChromium ? CHROMIUM : OTHERS).exec(line)).filter((match) => match !== null);
  return matches.slice(0, FRAMES).map((match) => frame(match[1], match[2] ?? ''));
}

function frame(name: string | undefined, place: string): Frame {
  const [, whole = '', line, column] = PLACE.exec(place) ?? [];
  // Firefox: `app.js line 3 > eval`, an evaluated text within app.js. A query may be secret, and changes with releases.
  const file = whole.replace(/ line \d+ > .*$/, '').replace(/[?#].*$/, '');
  const isFile = /^[a-z-]+:/i.test(file);
  return {
    ...(name && { function: name.replace(/ \[as .*\]$|\/<$/, '') }),
    ...(isFile && { file }),
    ...(line && { line: +line }),
    ...(column && { column: +column }),
    in_app: file.startsWith(`${location.origin}/`),
  };
}
