import { signal } from '@preact/signals';
import { ago, full } from '../format';

/** The time, for what is said relative to it; it moves every ten seconds. */
export const clock = signal(Date.now());
setInterval(() => {
  clock.value = Date.now();
}, 10_000);

/** `3 min ago`, with the exact time on hover. */
export function Ago({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  return (
    <time dateTime={at} title={full(at)}>
      {ago(at, Math.max(clock.value, Date.now()))}
    </time>
  );
}
