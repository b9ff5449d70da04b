import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A page: its title, what can be done there, and what it shows. */
export function Page(props: {
  title: string;
  actions?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${props.title} · Trailmark`;
  }, [props.title]);
  return (
    <div class="page">
      <header class="page-head">
        <h1>{props.title}</h1>
        {props.actions && <div class="row">{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

/** Tabs that are addresses, so that each can be linked to and gone back from. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  label: string;
  tabs: { href: string; name: string }[];
  current: string;
}) {
  const nav = useRef<HTMLElement>(null);
  // On a phone not all tabs fit: the one that is open is brought into sight.
  useEffect(() => {
    const open = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && open) nav.current.scrollLeft = open.offsetLeft - nav.current.offsetLeft - 40;
  }, [current]);
  return (
    <nav class="tabs" aria-label={label} ref={nav}>
      {tabs.map((tab) => (
        <a key={tab.href} href={tab.href} aria-current={tab.href === current ? 'page' : undefined}>
          {tab.name}
        </a>
      ))}
    </nav>
  );
}

/** A section with a heading of its own. */
export function Card(props: {
  title?: string;
  actions?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ''}`}>
      {(props.title || props.actions) && (
        <header class="card-head">
          {props.title && <h2>{props.title}</h2>}
          {props.actions && <div class="row">{props.actions}</div>}
        </header>
      )}
      {props.children}
    </section>
  );
}

/** There is nothing, and why that may be. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}
