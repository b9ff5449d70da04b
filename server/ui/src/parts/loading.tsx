/** Says that something is on its way, if it takes longer than people notice. */
export function Loading({ when }: { when: boolean }) {
  return when ? (
    <p class="loading muted" role="status">
      Loading…
    </p>
  ) : null;
}
