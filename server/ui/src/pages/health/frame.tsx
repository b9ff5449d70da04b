import type { ComponentChildren } from 'preact';
import { Page, Tabs } from '../../parts/page';

const TABS = [
  { href: '/health/errors', name: 'Errors' },
  { href: '/health/monitors', name: 'Monitors' },
  { href: '/health/endpoints', name: 'Endpoints' },
  { href: '/health/delivery', name: 'Delivery' },
  { href: '/health/jobs', name: 'Jobs' },
  { href: '/health/problems', name: 'Past problems' },
];

/** A page of Health: in `tab`, or under it if it has a title of its own. */
export function HealthPage(props: {
  tab: string;
  title?: string | undefined;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const current = `/health/${props.tab}`;
  const up = TABS.find((tab) => tab.href === current);
  return (
    <Page title={props.title ?? up?.name ?? 'Health'} actions={props.actions}>
      {props.title ? (
        <nav aria-label="Where this is" class="up">
          <a href={current}>← {up?.name}</a>
        </nav>
      ) : (
        <Tabs label="Health" tabs={TABS} current={current} />
      )}
      {props.children}
    </Page>
  );
}
