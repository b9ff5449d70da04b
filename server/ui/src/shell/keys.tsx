import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Dialog } from '../parts/dialog';

/** What a key does. A key is one, or two after one another: `g n`. */
export interface Key {
  keys: string;
  does: string;
  run: () => void;
}

/** What can be typed now, the newest page last. */
const known = signal<readonly (readonly Key[])[]>([]);

/** Whether the list of keys is shown. */
export const helpIsOpen = signal(false);

/** Listens to keys for as long as the component is shown. */
export function useKeys(keys: readonly Key[]) {
  useEffect(() => {
    known.value = [...known.value, keys];
    return () => {
      known.value = known.value.filter((one) => one !== keys);
    };
  }, [keys]);
}

/** A first key waits so long for its second: 1 s. */
const PAIR_MS = 1000;

let first: { key: string; at: number } | undefined;

/** Whether somebody is writing, so that letters are letters. */
function writes(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The key that was meant by `typed` after `before`, if one is known. */
export function meant(all: readonly Key[], before: string | undefined, typed: string): Key | undefined {
  const pair = before && all.findLast((key) => key.keys === `${before} ${typed}`);
  return pair || all.findLast((key) => key.keys === typed);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || document.querySelector('dialog[open]'))
    return;
  const all = known.value.flat();
  const before = first && event.timeStamp - first.at < PAIR_MS ? first.key : undefined;
  const key = meant(all, before, event.key);
  first =
    all.some((one) => one.keys.startsWith(`${event.key} `)) && !key
      ? { key: event.key, at: event.timeStamp }
      : undefined;
  if (!key) return;
  event.preventDefault();
  key.run();
});

export function Help() {
  if (!helpIsOpen.value) return null;
  return (
    <Dialog title="Keys" onClose={() => (helpIsOpen.value = false)}>
      <table class="keys">
        <tbody>
          {known.value.flat().map((key) => (
            <tr key={key.keys}>
              <th scope="row">
                {key.keys.split(' ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </th>
              <td>{key.does}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">
              <kbd>Esc</kbd>
            </th>
            <td>Close what is open</td>
          </tr>
        </tbody>
      </table>
    </Dialog>
  );
}
