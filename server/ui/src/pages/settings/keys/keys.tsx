import { useState } from 'preact/hooks';
import { answer, DELETE, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction, useAnswer } from '../../../api/use';
import { Confirm } from '../../../parts/confirm';
import { Button, Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Once } from '../../../parts/once';
import { Empty } from '../../../parts/page';
import { type Column, Table } from '../../../parts/table';
import { Ago } from '../../../parts/time';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';
import { SettingsPage } from '../frame';
import { NewKey } from './new-key';

type Key = Schema<'Key'>;

/** The keys of the project: those that work first, the newest first. */
export function KeyList() {
  return may('admin') ? <Keys /> : <SettingsPage tab="keys">{null}</SettingsPage>;
}

function Keys() {
  const [isMaking, setIsMaking] = useState(false);
  const [made, setMade] = useState<Schema<'KeyMade'>>();
  const [revoked, setRevoked] = useState<Key>();
  const keys = useAnswer((signal) => answer(GET('/api/v1/keys', { signal })), []);
  const revoke = useAction(async (key: Key) => {
    await answer(DELETE('/api/v1/keys/{id}', { params: { path: { id: key.id } } }));
    toast('Revoked');
    setRevoked(undefined);
    keys.again();
  });
  const rows = (keys.data?.keys ?? []).toSorted(
    (a, b) => Number(!!a.revoked_at) - Number(!!b.revoked_at) || Date.parse(b.created_at) - Date.parse(a.created_at),
  );
  return (
    <SettingsPage
      tab="keys"
      actions={
        <Button kind="primary" onClick={() => setIsMaking(true)}>
          New key
        </Button>
      }
    >
      <Refused refusal={keys.refusal} again={keys.again} />
      <Loading when={keys.loading && !keys.data} />
      {keys.data && rows.length === 0 && <Empty title="No keys yet">Apps send events with a write key.</Empty>}
      {rows.length > 0 && (
        <div class="card flush">
          <Table label="Keys" rows={rows} keyOf={(key) => key.id} columns={columns(setRevoked)} />
        </div>
      )}
      {isMaking && (
        <NewKey
          onClose={() => setIsMaking(false)}
          onMade={(made) => {
            setIsMaking(false);
            setMade(made);
            keys.again();
          }}
        />
      )}
      {made && (
        <Once title={`${made.key.name} is made`} label="Key" text={made.text} onClose={() => setMade(undefined)}>
          {made.key.kind === 'secret'
            ? 'Whoever has it may read and administer the project. It is shown only now.'
            : 'Apps send events with it. It is public, and shown only now.'}
        </Once>
      )}
      {revoked && (
        <Confirm
          title={`Revoke ${revoked.name || revoked.hint}?`}
          does="Revoke it"
          busy={revoke.busy}
          refusal={revoke.refusal}
          onConfirm={() => void revoke.run(revoked)}
          onClose={() => setRevoked(undefined)}
        >
          {revoked.last_used_at ? (
            <>
              It was last used <Ago at={revoked.last_used_at} />. Whoever uses it is refused within seconds, and it
              cannot be taken back.
            </>
          ) : (
            'It was never used. It cannot be taken back.'
          )}
        </Confirm>
      )}
    </SettingsPage>
  );
}

const columns = (onRevoke: (key: Key) => void): Column<Key>[] => [
  {
    name: 'Key',
    cell: (key) => (
      <div class="named">
        <strong>{key.name || 'without a name'}</strong>
        <code class="muted">{key.hint}</code>
      </div>
    ),
  },
  { name: 'May', cell: (key) => (key.kind === 'secret' ? 'read and administer' : 'send events') },
  { name: 'Made', cell: (key) => <Ago at={key.created_at} /> },
  { name: 'Last used', cell: (key) => (key.last_used_at ? <Ago at={key.last_used_at} /> : 'never') },
  {
    name: 'State',
    cell: (key) =>
      key.revoked_at ? (
        <span class="muted">
          revoked <Ago at={key.revoked_at} />
        </span>
      ) : (
        <Button kind="quiet" aria-label={`Revoke ${key.name || key.hint}`} onClick={() => onRevoke(key)}>
          Revoke
        </Button>
      ),
  },
];
