import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, PATCH, POST } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAction } from '../../../api/use';
import { Dialog } from '../../../parts/dialog';
import { Button, Field, Refused } from '../../../parts/form';
import { Once } from '../../../parts/once';
import { Card } from '../../../parts/page';
import { choose, may, project, renamed } from '../../../session';
import { toast } from '../../../shell/toasts';
import { SettingsPage } from '../frame';
import { Usage } from './usage';

/** The project that is looked at: its name, and how much it holds. */
export function ProjectPage() {
  const [isMaking, setIsMaking] = useState(false);
  return (
    <SettingsPage
      tab="project"
      actions={may('admin') && <Button onClick={() => setIsMaking(true)}>New project</Button>}
    >
      <Card title="Name">
        {may('admin') ? <Name key={project.value?.id} /> : <p>{project.value?.name}</p>}
        <p class="muted">
          Its number is {project.value?.id}: programs name it with <code>Trailmark-Project</code>.
        </p>
      </Card>
      <Usage />
      {isMaking && <Make onClose={() => setIsMaking(false)} />}
    </SettingsPage>
  );
}

function Name() {
  const { id = 0, name: before = '' } = project.value ?? {};
  const [name, setName] = useState(before);
  const rename = useAction(async () => {
    const body = { name: name.trim() };
    renamed(await answer(PATCH('/api/v1/projects/{id}', { params: { path: { id } }, body })));
    toast('Renamed');
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void rename.run();
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="inline-form">
        <Field label="Name of the project" bare required maxLength={200} value={name} onValue={setName} />
        <Button type="submit" busy={rename.busy} disabled={name.trim() === before}>
          Rename
        </Button>
      </div>
      <Refused refusal={rename.refusal} />
    </form>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const { route } = useLocation();
  const [name, setName] = useState('');
  const [made, setMade] = useState<Schema<'NewProject'>>();
  const make = useAction(async () => {
    setMade(await answer(POST('/api/v1/projects', { body: { name: name.trim() } })));
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void make.run();
  };
  if (made) {
    const done = () => {
      renamed(made.project);
      choose(made.project.id);
      route('/start');
    };
    return (
      <Once title={`${made.project.name} is made`} label="Write key" text={made.write_key.text} onClose={done}>
        This is its write key, with which apps send events. It is public, and shown only now.
      </Once>
    );
  }
  return (
    <Dialog title="New project" onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>A project has its own events, people and keys: one for each product, or for tests.</p>
        <Field label="Name" required maxLength={200} value={name} onValue={setName} />
        <Refused refusal={make.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={make.busy}>
            Make it
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
