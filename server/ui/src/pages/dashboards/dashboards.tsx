import '../../styles/keeping.css';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { useAction } from '../../api/use';
import { counted } from '../../format';
import { makeDashboard, useDashboards } from '../../keeping/keep';
import { NAME_CHARS } from '../../keeping/save-dialog';
import { Dialog } from '../../parts/dialog';
import { Button, Field, Refused } from '../../parts/form';
import { Card, Empty, Page } from '../../parts/page';
import { Table } from '../../parts/table';
import { Ago } from '../../parts/time';
import { may } from '../../session';

/** All dashboards. */
export default function Dashboards() {
  const dashboards = useDashboards();
  const [making, setMaking] = useState(false);
  const make = may('admin') && (
    <Button kind="primary" onClick={() => setMaking(true)}>
      Make a dashboard
    </Button>
  );
  return (
    <Page title="Dashboards" actions={make}>
      <Refused refusal={dashboards.refusal} again={dashboards.again} />
      {dashboards.data?.length === 0 && (
        <Card>
          <Empty title="No dashboards yet">
            A dashboard shows saved questions together. <a href="/explore">Ask something</a>, then add it to one.
          </Empty>
        </Card>
      )}
      {dashboards.data && dashboards.data.length > 0 && (
        <Card>
          <Table
            label="Dashboards"
            rows={dashboards.data}
            keyOf={(one) => one.id}
            columns={[
              { name: 'Name', cell: (one) => <a href={`/dashboards/${one.id}`}>{one.name}</a> },
              { name: 'Shows', cell: (one) => counted(one.tiles.length, 'question', 'questions') },
              { name: 'Changed', cell: (one) => <Ago at={one.changed_at} /> },
              { name: 'Made by', cell: (one) => one.created_by },
            ]}
          />
        </Card>
      )}
      {making && <Make onClose={() => setMaking(false)} />}
    </Page>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const { route } = useLocation();
  const [name, setName] = useState('');
  const make = useAction(async () => {
    const { id } = await makeDashboard(name, []);
    route(`/dashboards/${id}`);
  });
  return (
    <Dialog title="Make a dashboard" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void make.run();
        }}
      >
        <Field label="Name" required maxLength={NAME_CHARS} placeholder="Weekly" value={name} onValue={setName} />
        <Refused refusal={make.refusal} />
        <div class="row">
          <Button kind="primary" type="submit" busy={make.busy}>
            Make it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
