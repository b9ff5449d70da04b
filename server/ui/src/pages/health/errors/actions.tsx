import { useState } from 'preact/hooks';
import { answer, PATCH } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused } from '../../../parts/form';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';

type Issue = Schema<'WholeIssue'>;
type Change = Schema<'ChangedIssue'>;

/** What becomes of an issue. A viewer sees nothing here. */
export function IssueActions({ issue, onChanged }: { issue: Issue; onChanged: () => void }) {
  const [isResolving, setIsResolving] = useState(false);
  const change = useAction(async (body: Change, said: string) => {
    await answer(PATCH('/api/v1/issues/{number}', { params: { path: { number: issue.number } }, body }));
    toast(said);
    setIsResolving(false);
    onChanged();
  });
  if (!may('admin')) return null;
  const isOver = issue.state === 'resolved' || issue.state === 'ignored';
  return (
    <>
      {isOver ? (
        <Button busy={change.busy} onClick={() => void change.run({ state: 'ongoing' }, 'Open again')}>
          Reopen
        </Button>
      ) : (
        <>
          <Button kind="primary" onClick={() => setIsResolving(true)}>
            Resolve
          </Button>
          <Button busy={change.busy} onClick={() => void change.run({ state: 'ignored' }, 'Ignored')}>
            Ignore
          </Button>
        </>
      )}
      {!isResolving && <Refused refusal={change.refusal} />}
      {isResolving && (
        <Resolve
          issue={issue}
          busy={change.busy}
          refused={<Refused refusal={change.refusal} />}
          onClose={() => setIsResolving(false)}
          onResolve={(release) =>
            void change.run({ state: 'resolved', in_release: release || null }, 'Resolved; it is told if it comes back')
          }
        />
      )}
    </>
  );
}

function Resolve(props: {
  issue: Issue;
  busy: boolean;
  refused: preact.ComponentChildren;
  onClose: () => void;
  onResolve: (release: string) => void;
}) {
  const [release, setRelease] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    props.onResolve(release.trim());
  };
  return (
    <Dialog title="Resolve" onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <p>If it happens again it counts as regressed, and is told as a problem.</p>
        <Field
          label="Resolved in release (optional)"
          hint="With a release, only that one or a new one makes it regressed: the old ones go on failing until everybody has updated."
          placeholder={props.issue.last_release ?? '1.4.1'}
          maxLength={200}
          value={release}
          onValue={setRelease}
        />
        {props.refused}
        <div class="row">
          <Button kind="primary" type="submit" busy={props.busy}>
            Resolve
          </Button>
          <Button onClick={props.onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
