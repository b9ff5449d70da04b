import { useId, useState } from 'preact/hooks';
import { answer, DELETE, GET, POST } from '../api/client';
import type { Schema } from '../api/types';
import { useAction, useAnswer } from '../api/use';
import { Copy } from '../parts/copy';
import { Dialog } from '../parts/dialog';
import { Button, Field, Refused, Select } from '../parts/form';
import { Ago } from '../parts/time';
import { NAME_CHARS } from './save-dialog';

/** What a link shows. A question that is not kept yet is kept first, under a name. */
export type Shown = { dashboard: number } | { saved_query: number } | { keep: (name: string) => Promise<number> };

const LASTS = [
  ['7', 'for 7 days'],
  ['30', 'for 30 days'],
  ['90', 'for 90 days'],
  ['', 'until it is ended here'],
] as const;

/** Links that show something, read-only, to whoever has them. */
export function ShareDialog({ shown, name, onClose }: { shown: Shown; name: string; onClose: () => void }) {
  const id = useId();
  const [of, setOf] = useState(shown);
  const [as, setAs] = useState('');
  const [days, setDays] = useState<(typeof LASTS)[number][0]>('30');
  const [link, setLink] = useState('');
  const links = useAnswer(async (signal) => (await answer(GET('/api/v1/shares', { signal }))).shares, [of]);
  const make = useAction(async () => {
    const kept = 'keep' in of ? { saved_query: await of.keep(as) } : of;
    setOf(kept);
    const lasts = days === '' ? {} : { expires_in_days: Number(days) };
    const { token } = await answer(POST('/api/v1/shares', { body: { ...kept, ...lasts } }));
    setLink(`${location.origin}/shared#${token}`);
    links.again();
  });
  const here = links.data?.filter((one) => isOf(one, of)) ?? [];
  return (
    <Dialog title={name === '' ? 'Share this question' : `Share “${name}”`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void make.run();
        }}
      >
        <p class="muted">
          Whoever has the link sees the numbers, not the people, without signing in. They can change nothing.
        </p>
        {'keep' in of && (
          <Field
            label="Name"
            hint="The question is saved first, under this name."
            required
            maxLength={NAME_CHARS}
            value={as}
            onValue={setAs}
          />
        )}
        <Select label="It works" value={days} choices={LASTS} onValue={setDays} />
        <Refused refusal={make.refusal} />
        {link === '' ? (
          <div class="row">
            <Button kind="primary" type="submit" busy={make.busy}>
              Make a link
            </Button>
          </div>
        ) : (
          <div class="field">
            <label for={id}>The link</label>
            <div class="kept-link">
              <input id={id} readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
              <Copy text={link} />
            </div>
            <small class="muted">Copy it now: it is not shown again.</small>
          </div>
        )}
      </form>
      <Refused refusal={links.refusal} again={links.again} />
      {here.length > 0 && (
        <section class="kept-links">
          <h3>Links that were made</h3>
          <ul class="kept">
            {here.map((one) => (
              <Link key={one.id} share={one} onEnded={links.again} />
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  );
}

const isOf = (share: Schema<'Share'>, shown: Shown) =>
  'dashboard' in shown
    ? share.dashboard === shown.dashboard
    : 'saved_query' in shown && share.saved_query === shown.saved_query;

function Link({ share, onEnded }: { share: Schema<'Share'>; onEnded: () => void }) {
  const end = useAction(async () => {
    await answer(DELETE('/api/v1/shares/{id}', { params: { path: { id: share.id } } }));
    onEnded();
  });
  const isOver = share.expires_at != null && Date.parse(share.expires_at) < Date.now();
  return (
    <li>
      <div class="kept-head">
        <span>
          Made <Ago at={share.created_at} /> by {share.created_by}
          <span class="muted">
            {isOver ? ', over since ' : share.expires_at ? ', ends ' : ', works until it is ended'}
            {share.expires_at && <Ago at={share.expires_at} />}
          </span>
        </span>
        <Button kind="quiet" busy={end.busy} onClick={() => void end.run()}>
          {isOver ? 'Remove' : 'End it'}
        </Button>
      </div>
      <Refused refusal={end.refusal} />
    </li>
  );
}
