import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { answer, POST, projectId } from '../../api/client';
import { useAction } from '../../api/use';
import { Button, Field, Refused } from '../../parts/form';
import { Card, Empty, Page } from '../../parts/page';
import { choose, may, project, renamed } from '../../session';
import '../../styles/start.css';
import { keepKey, keptKey } from './key';
import { Snippets } from './snippets-card';
import { Waiting } from './waiting';

/** From nothing to the first event. Also what is shown while there is no project. */
export default function Start() {
  if (projectId.value === null) return <NewProject />;
  return <Connect key={projectId.value} id={projectId.value} />;
}

function NewProject() {
  const { route } = useLocation();
  const [name, setName] = useState('');
  const make = useAction(async () => {
    const { project, write_key } = await answer(POST('/api/v1/projects', { body: { name } }));
    keepKey(project.id, write_key.text);
    renamed(project);
    route('/start');
    choose(project.id);
  });
  const submit = (event: Event) => {
    event.preventDefault();
    void make.run();
  };
  if (!may('admin')) {
    return (
      <Page title="There is no project yet">
        <Empty title="Ask an owner or an admin to make one">What it collects appears here.</Empty>
      </Page>
    );
  }
  return (
    <Page title="What do you want to know about?">
      <Card class="start-name">
        <form class="stack" onSubmit={submit}>
          <Field
            label="Name of the project"
            hint="An app, a shop, a site: all that one team looks at together."
            placeholder="Shop"
            required
            maxLength={100}
            value={name}
            onValue={setName}
          />
          <Refused refusal={make.refusal} />
          <Button kind="primary" type="submit" busy={make.busy} disabled={name.trim() === ''}>
            Make it
          </Button>
        </form>
      </Card>
    </Page>
  );
}

function Connect({ id }: { id: number }) {
  const [key, setKey] = useState(keptKey(id));
  const keep = (key: string) => {
    keepKey(id, key);
    setKey(key);
  };
  return (
    <Page title={`Send events to ${project.value?.name ?? 'this project'}`}>
      <Waiting writeKey={key} />
      <Snippets writeKey={key} onKey={keep} />
    </Page>
  );
}
