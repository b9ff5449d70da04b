import type { ComponentChildren } from 'preact';
import type { Role } from '../../api/types';
import { Page, Tabs } from '../../parts/page';
import { may } from '../../session';

const TABS: { href: string; name: string; takes: Role }[] = [
  { href: '/settings/project', name: 'Project', takes: 'viewer' },
  { href: '/settings/keys', name: 'Keys', takes: 'admin' },
  { href: '/settings/users', name: 'Users', takes: 'admin' },
  { href: '/settings/alerts', name: 'Alerts', takes: 'viewer' },
  { href: '/settings/server', name: 'Server', takes: 'viewer' },
  { href: '/settings/gateway', name: 'Gateway', takes: 'admin' },
];

/** A page of the settings: in `tab`, or under it if it has a title of its own. */
export function SettingsPage(props: {
  tab: string;
  title?: string | undefined;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const current = `/settings/${props.tab}`;
  const up = TABS.find((tab) => tab.href === current);
  return (
    <Page title={props.title ?? up?.name ?? 'Settings'} actions={props.actions}>
      {props.title ? (
        <nav aria-label="Where this is" class="up">
          <a href={current}>← {up?.name}</a>
        </nav>
      ) : (
        <Tabs label="Settings" tabs={TABS.filter((tab) => may(tab.takes))} current={current} />
      )}
      {up && !may(up.takes) ? <p>This takes the role {up.takes}: ask an owner.</p> : props.children}
    </Page>
  );
}
