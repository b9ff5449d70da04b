import { useLocation } from 'preact-iso';
import { answer, POST } from '../../api/client';
import { useAction } from '../../api/use';
import { Snippet } from '../../parts/copy';
import { Button, Refused } from '../../parts/form';
import { Card, Tabs } from '../../parts/page';
import { may } from '../../session';
import { filled, SNIPPETS } from './snippets';

const hrefOf = (id: string) => `/start?sdk=${id}`;

/** What goes into the app, with this server's address and this project's key. */
export function Snippets({ writeKey, onKey }: { writeKey: string | null; onKey: (key: string) => void }) {
  const { query } = useLocation();
  const snippet = SNIPPETS.find(({ id }) => id === query.sdk) ?? SNIPPETS[0];
  if (!snippet) return null;
  const fill = (text: string) => filled(text, location.origin, writeKey);
  return (
    <Card title="Into your app">
      <div class="stack">
        <Tabs
          label="Languages"
          current={hrefOf(snippet.id)}
          tabs={SNIPPETS.map(({ id, name }) => ({ href: hrefOf(id), name }))}
        />
        <p>{fill(snippet.install)}</p>
        <Snippet label={`For ${snippet.name}`} text={fill(snippet.code)} />
        {snippet.note && <p class="muted">{fill(snippet.note)}</p>}
        <Key writeKey={writeKey} onKey={onKey} />
      </div>
    </Card>
  );
}

/** The key is shown once: where it is not at hand any more, there can only be another one. */
function Key({ writeKey, onKey }: { writeKey: string | null; onKey: (key: string) => void }) {
  const make = useAction(async () => {
    const { text } = await answer(POST('/api/v1/keys', { body: { kind: 'write', name: 'First event' } }));
    onKey(text);
  });
  if (writeKey !== null) {
    return (
      <p class="muted">
        The write key may be public: it can only send events. Keep it where your app is built; this page shows it until
        you close it, and the server keeps only a hash.
      </p>
    );
  }
  if (!may('admin')) return <p>The key is not shown again. Ask an owner or an admin for it.</p>;
  return (
    <div class="stack">
      <p>
        The write key was shown when it was made, and is not shown again. If you have it, put it in place of{' '}
        <code>tm_pk_…</code>; else make another one. Those that are in use keep working.
      </p>
      <Refused refusal={make.refusal} />
      <div>
        <Button busy={make.busy} onClick={() => void make.run()}>
          Make a new write key
        </Button>
      </div>
    </div>
  );
}
