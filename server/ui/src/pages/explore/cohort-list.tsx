import { useState } from 'preact/hooks';
import { answer, POST } from '../../api/client';
import type { Schema } from '../../api/types';
import { useAction } from '../../api/use';
import { counted } from '../../format';
import { NAME_CHARS } from '../../keeping/save-dialog';
import { Dialog } from '../../parts/dialog';
import { Button, Field, Refused } from '../../parts/form';
import { idsOf } from './cohort';

/** Most ids of an upload, as the server has it. */
const IDS = 50_000;

/** Makes a list of people, or puts more on one. */
export function ListForm(props: { list: Schema<'KeptCohort'> | undefined; onMade: () => void; onClose: () => void }) {
  const [list, setList] = useState(props.list);
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const [uploaded, setUploaded] = useState<Schema<'Uploaded'>>();
  const ids = idsOf(text);
  const upload = useAction(async () => {
    const onto = list ?? (await answer(POST('/api/v1/cohorts', { body: { name } })));
    setList(onto);
    props.onMade();
    const params = { path: { id: onto.id } };
    setUploaded(await answer(POST('/api/v1/cohorts/{id}/members', { params, body: ids as never })));
    setText('');
    props.onMade();
  });
  return (
    <Dialog title={list ? `Put people on “${list.name}”` : 'Make a list'} onClose={props.onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void upload.run();
        }}
      >
        {!list && <Field label="Name" required maxLength={NAME_CHARS} value={name} onValue={setName} />}
        <div class="field">
          <label for="cohort-ids">Who is on it</label>
          <textarea
            id="cohort-ids"
            rows={6}
            value={text}
            placeholder={'u_7\nu_8'}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <small class="muted">
            User ids or anonymous ids, one a line; or a file, of which the first column counts.
          </small>
        </div>
        <div class="field">
          <label for="cohort-file">From a file</label>
          <input
            id="cohort-file"
            type="file"
            accept=".csv,.txt,text/csv,text/plain"
            onChange={async (event) => setText((await event.currentTarget.files?.[0]?.text()) ?? '')}
          />
        </div>
        <Refused refusal={upload.refusal} />
        {uploaded && (
          <p role="status">
            {counted(uploaded.added, 'person was', 'people were')} put on it
            {uploaded.unknown > 0 &&
              `; ${counted(uploaded.unknown, 'id is', 'ids are')} not known yet: ${uploaded.unknown_ids.join(', ')}${
                uploaded.unknown > uploaded.unknown_ids.length ? ', …' : ''
              }`}
            .
          </p>
        )}
        <div class="row">
          <Button kind="primary" type="submit" busy={upload.busy} disabled={ids.length === 0 || ids.length > IDS}>
            {ids.length > 0 ? `Put ${counted(ids.length, 'id', 'ids')} on it` : 'Put them on it'}
          </Button>
          {ids.length > IDS && <span>At most {IDS.toLocaleString('en')} at once.</span>}
        </div>
      </form>
    </Dialog>
  );
}
