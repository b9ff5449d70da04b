import { answer, DELETE } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Button, Refused } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';

type Invitation = Schema<'Invitation'>;

/** Links that were made and not used yet. */
export function Invitations(props: { invitations: readonly Invitation[]; onChanged: () => void }) {
  const withdraw = useAction(async (id: number) => {
    await answer(DELETE('/api/v1/invitations/{id}', { params: { path: { id } } }));
    toast('Taken back');
    props.onChanged();
  });
  if (props.invitations.length === 0) return null;
  return (
    <Card title="Invited">
      <Refused refusal={withdraw.refusal} />
      <Table
        label="Invitations that were not accepted yet"
        rows={props.invitations}
        keyOf={(one) => one.id}
        columns={[
          { name: 'Who', cell: (one) => one.email ?? 'whoever has the link' },
          { name: 'Role', cell: (one) => one.role },
          { name: 'By', cell: (one) => one.created_by ?? 'the server' },
          { name: 'Ends', cell: (one) => <Ago at={one.expires_at} /> },
          ...(may('owner')
            ? [
                {
                  name: 'Change',
                  cell: (one: Invitation) => (
                    <Button
                      kind="quiet"
                      aria-label={`Take back the invitation of ${one.email ?? 'whoever has the link'}`}
                      busy={withdraw.busy}
                      onClick={() => void withdraw.run(one.id)}
                    >
                      Take back
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
      />
    </Card>
  );
}
