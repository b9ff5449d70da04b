import { useState } from 'preact/hooks';
import { answer, POST } from '../../../api/client';
import type { Role } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused, Select } from '../../../parts/form';
import type { Link } from './users';

export const ROLES = [
  ['viewer', 'viewer: looks'],
  ['admin', 'admin: changes projects'],
  ['owner', 'owner: also says who may log in'],
] as const satisfies readonly (readonly [Role, string])[];

/** Makes a link that makes somebody a user. */
export function Invite({ onClose, onMade }: { onClose: () => void; onMade: (link: Link) => void }) {
  const [role, setRole] = useState<Role>('viewer');
  const [email, setEmail] = useState('');
  const invite = useAction(async () => {
    const body = { role, email: email.trim() || null };
    const made = await answer(POST('/api/v1/invitations', { body }));
    const who = made.email ?? 'whoever you invite';
    onMade({
      title: 'The invitation',
      token: made.token,
      says: `Hand this link to ${who}. It works once, within a week, and is shown only now.`,
    });
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void invite.run();
  };
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Select label="Role" value={role} choices={ROLES} onValue={setRole} />
        <Field
          label="E-mail address (optional)"
          hint="Without one, whoever accepts says it. No mail is sent: you hand over the link."
          type="email"
          value={email}
          onValue={setEmail}
        />
        <Refused refusal={invite.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={invite.busy}>
            Make the link
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
