import { useState } from 'preact/hooks';
import { answer, DELETE, PATCH, POST } from '../../../api/client';
import type { Role, Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Refused, Select } from '../../../parts/form';
import { toast } from '../../../shell/toasts';
import { ROLES } from './invite';
import type { Link } from './users';

/** What an owner may do with a user. */
export function ManageUser(props: {
  user: Schema<'ListedUser'>;
  onClose: () => void;
  onChanged: () => void;
  onLink: (link: Link) => void;
}) {
  const { user } = props;
  const [isRemoving, setIsRemoving] = useState(false);
  const params = { path: { id: user.id } };
  const change = useAction(async (body: Schema<'ChangedUser'>, said: string) => {
    await answer(PATCH('/api/v1/users/{id}', { params, body }));
    toast(said);
    props.onChanged();
  });
  const reset = useAction(async () => {
    const made = await answer(POST('/api/v1/users/{id}/reset', { params }));
    props.onLink({
      title: 'Another password',
      token: made.token,
      says: `Hand this link to ${user.email}, who chooses a new password with it. It works once, within a day.`,
    });
  });
  const remove = useAction(async () => {
    await answer(DELETE('/api/v1/users/{id}', { params }));
    toast('Removed');
    props.onChanged();
  });
  return (
    <Dialog title={user.email} onClose={props.onClose}>
      <div class="stack">
        <Select
          label="Role"
          value={user.role as Role}
          choices={ROLES}
          disabled={change.busy}
          onValue={(role) => void change.run({ role }, `${user.email} is ${role} now`)}
        />
        <Refused refusal={change.refusal ?? reset.refusal ?? remove.refusal} />
        <div class="row">
          <Button busy={reset.busy} disabled={!!user.disabled_at} onClick={() => void reset.run()}>
            Link for a new password
          </Button>
          <Button
            busy={change.busy}
            onClick={() =>
              void change.run({ disabled: !user.disabled_at }, user.disabled_at ? 'May log in again' : 'Disabled')
            }
          >
            {user.disabled_at ? 'Let in again' : 'Disable'}
          </Button>
          {!isRemoving && (
            <Button kind="danger" onClick={() => setIsRemoving(true)}>
              Remove
            </Button>
          )}
        </div>
        {isRemoving && (
          <div class="row">
            <span>For good? What was made by {user.email} stays.</span>
            <Button kind="danger" busy={remove.busy} onClick={() => void remove.run()}>
              Remove for good
            </Button>
            <Button onClick={() => setIsRemoving(false)}>Cancel</Button>
          </div>
        )}
      </div>
    </Dialog>
  );
}
