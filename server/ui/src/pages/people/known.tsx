import { useState } from 'preact/hooks';
import { counted } from '../../format';
import { Button } from '../../parts/form';
import { Card } from '../../parts/page';

/** More than this is folded. */
const SHOWN = 12;

/** What is known about a person. */
export function Known({ properties }: { properties: Record<string, unknown> }) {
  const [all, setAll] = useState(false);
  const known = Object.entries(properties);
  const shown = all ? known : known.slice(0, SHOWN);
  return (
    <Card title="What is known">
      {known.length === 0 && <p class="muted">Nothing yet. An app says it with identify.</p>}
      <dl class="known">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      {shown.length < known.length && (
        <Button kind="quiet" onClick={() => setAll(true)}>
          Show all {counted(known.length, 'property', 'properties')}
        </Button>
      )}
    </Card>
  );
}
