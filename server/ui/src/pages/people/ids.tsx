import { useState } from 'preact/hooks';
import type { Schema } from '../../api/types';
import type { Asked } from '../../api/use';
import { counted, day, full } from '../../format';
import { Badge } from '../../parts/badge';
import { Button, Refused } from '../../parts/form';
import { Card } from '../../parts/page';
import { may } from '../../session';
import { Unalias } from './unalias';

type Explained = Schema<'Explanation'>['identities'][number];
type PassedOver = Schema<'Explanation'>['passed_over'][number];

/** Most people have two or three ids; of more, these come first. */
const SHOWN = 8;

/** The ids of a person, each with why it is one of them. */
export function Ids({ why, onChange }: { why: Asked<Schema<'Explanation'>>; onChange: () => void }) {
  const [all, setAll] = useState(false);
  const [undoing, setUndoing] = useState<{ event: string; users: [string, string] }>();
  const identities = why.data?.identities ?? [];
  const shown = all ? identities : identities.slice(0, SHOWN);
  return (
    <Card title={identities.length > 1 ? 'Why this is one person' : 'Its id'}>
      <Refused refusal={why.refusal} again={why.again} />
      <ul class="ids">
        {shown.map((identity) => (
          <li key={`${identity.kind} ${identity.id}`}>
            <span class="row spread">
              <bdi class="id">{identity.id}</bdi>
              <Badge>{identity.kind === 'user' ? 'user' : 'device'}</Badge>
            </span>
            <Because identity={identity} />
            {identity.because?.fact === 'alias' && may('admin') && (
              <Button
                kind="quiet"
                onClick={() =>
                  identity.because &&
                  setUndoing({ event: identity.because.event_id, users: [identity.id, identity.because.with.id] })
                }
              >
                Take back…
              </Button>
            )}
          </li>
        ))}
      </ul>
      {shown.length < identities.length && (
        <Button kind="quiet" onClick={() => setAll(true)}>
          Show all {counted(identities.length, 'id', 'ids')}
        </Button>
      )}
      <Passed over={why.data?.passed_over ?? []} />
      {undoing && <Unalias {...undoing} onClose={() => setUndoing(undefined)} onDone={onChange} />}
    </Card>
  );
}

/** The step that joins an id with another one of the person. */
function Because({ identity }: { identity: Explained }) {
  const { because } = identity;
  if (!because) return null;
  const other = <bdi>{because.with.id}</bdi>;
  const on = <time title={full(because.at)}>{day(because.at)}</time>;
  if (because.fact === 'alias') {
    return (
      <p class="muted">
        an alias of {other}, said on {on}
      </p>
    );
  }
  return identity.kind === 'anonymous' ? (
    <p class="muted">
      signed in as {other} first, on {on}
    </p>
  ) : (
    <p class="muted">
      signed in first on the device {other}, on {on}
    </p>
  );
}

/** Aliases that join nobody, so that nobody looks for their effect. */
function Passed({ over }: { over: readonly PassedOver[] }) {
  if (over.length === 0) return null;
  return (
    <details class="passed">
      <summary>{counted(over.length, 'alias that joins', 'aliases that join')} nobody</summary>
      <ul class="ids">
        {over.map((alias) => (
          <li key={alias.event_id}>
            <bdi class="id">{alias.users[0]}</bdi> and <bdi class="id">{alias.users[1]}</bdi>
            <p class="muted">
              {alias.why === 'withdrawn'
                ? `taken back${alias.withdrawn_at ? ` on ${day(alias.withdrawn_at)}` : ''}`
                : 'refused: it would have made a person of more than 100 users'}
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}
