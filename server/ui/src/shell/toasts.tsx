import { signal } from '@preact/signals';

const shown = signal<{ id: number; text: string }[]>([]);

/** A toast stays for 5 s: long enough to read a line twice. */
const STAYS_MS = 5000;

let last = 0;

/** Says that something was done. What was refused is said where it was asked for. */
export function toast(text: string) {
  const id = ++last;
  shown.value = [...shown.value, { id, text }];
  setTimeout(() => {
    shown.value = shown.value.filter((one) => one.id !== id);
  }, STAYS_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {shown.value.map((one) => (
        <div key={one.id} class="toast">
          {one.text}
        </div>
      ))}
    </div>
  );
}
