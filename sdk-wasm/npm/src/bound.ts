/** How much may wait in localStorage, of which the page itself needs the rest. */
import type { Store } from './inside';

/** Most records; with the usual 500 characters each they are as long as {@link CHARS}. */
const RECORDS = 1000;
/** Most characters of them: a tenth of what browsers give an origin. */
const CHARS = 512 * 1024;

/** Drops the oldest records beyond the bound, and keeps why. Returns how many are there, dropped ones too. */
export function bound(store: Store, why = '!queue_full', records = RECORDS): number {
  let chars = CHARS;
  const keys = store.keys_('q.');
  for (const key of keys.reverse()) {
    const text = store.get_(key)!;
    if (text[0] != '!' && (--records < 0 || (chars -= text.length) < 0)) store.set_(key, why);
  }
  return keys.length;
}
