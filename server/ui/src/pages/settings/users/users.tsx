import { useState } from 'preact/hooks';
import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { Badge } from '../../../parts/badge';
import { Button, Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Once } from '../../../parts/once';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { may, user } from '../../../session';
import { SettingsPage } from '../frame';
import { Invitations } from './invitations';
import { Invite } from './invite';
import { ManageUser } from './manage';

type Listed = Schema<'ListedUser'>;

/** A link that works once, to be handed to somebody. */
export interface Link {
  title: string;
  token: string;
  says: string;
}

/** Who may log in, and who is invited. */
export function UserList() {
  return may('admin') ? <Users /> : <SettingsPage tab="users">{null}</SettingsPage>;
}

function Users() {
  const [isInviting, setIsInviting] = useState(false);
  const [link, setLink] = useState<Link>();
  const [managed, setManaged] = useState<Listed>();
  const users = useAnswer((signal) => answer(GET('/api/v1/users', { signal })), []);
  const isOwner = may('owner');
  const linked = (link: Link) => {
    setIsInviting(false);
    setManaged(undefined);
    setLink(link);
    users.again();
  };
  return (
    <SettingsPage
      tab="users"
      actions={
        isOwner && (
          <Button kind="primary" onClick={() => setIsInviting(true)}>
            Invite somebody
          </Button>
        )
      }
    >
      <Refused refusal={users.refusal} again={users.again} />
      <Loading when={users.loading && !users.data} />
      {users.data && (
        <>
          <div class="card flush">
            <Table
              label="Users"
              rows={users.data.users}
              keyOf={(one) => one.id}
              columns={[
                {
                  name: 'User',
                  cell: (one) => (
                    <span class="row">
                      <strong>{one.email}</strong>
                      {one.id === user.value?.id && <span class="muted">you</span>}
                      {one.disabled_at && <Badge tone="warn">disabled</Badge>}
                    </span>
                  ),
                },
                { name: 'Role', cell: (one) => one.role },
                { name: 'Since', cell: (one) => <Ago at={one.created_at} /> },
                {
                  name: 'Last seen',
                  cell: (one) => (one.last_seen_at ? <Ago at={one.last_seen_at} /> : 'not in 30 days'),
                },
                ...(isOwner
                  ? [
                      {
                        name: 'Change',
                        cell: (one: Listed) => (
                          <Button kind="quiet" aria-label={`Change ${one.email}`} onClick={() => setManaged(one)}>
                            Change
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          </div>
          <Invitations invitations={users.data.invitations} onChanged={users.again} />
          <Roles />
        </>
      )}
      {isInviting && <Invite onClose={() => setIsInviting(false)} onMade={linked} />}
      {managed && (
        <ManageUser
          user={managed}
          onClose={() => setManaged(undefined)}
          onChanged={() => {
            setManaged(undefined);
            users.again();
          }}
          onLink={linked}
        />
      )}
      {link && (
        <Once
          title={link.title}
          label="Link"
          text={`${location.origin}/welcome#${link.token}`}
          onClose={() => setLink(undefined)}
        >
          {link.says}
        </Once>
      )}
    </SettingsPage>
  );
}

function Roles() {
  return (
    <Card title="Roles">
      <dl class="fact-rows">
        <div>
          <dt>viewer</dt>
          <dd>Looks at everything, and changes nothing.</dd>
        </div>
        <div>
          <dt>admin</dt>
          <dd>Changes what belongs to projects: keys, monitors, alerts, dashboards.</dd>
        </div>
        <div>
          <dt>owner</dt>
          <dd>Also says who may log in.</dd>
        </div>
      </dl>
    </Card>
  );
}
