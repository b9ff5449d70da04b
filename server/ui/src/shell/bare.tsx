import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

/** A page of one thing, for who is not logged in. */
export function Bare({ title, children }: { title: string; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Trailmark`;
  }, [title]);
  return (
    <main class="bare">
      <div class="bare-brand">
        <img src="/mark.svg" alt="" width="28" height="28" /> Trailmark
      </div>
      <div class="card bare-card">
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
