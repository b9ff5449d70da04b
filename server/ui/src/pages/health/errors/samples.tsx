import { useState } from 'preact/hooks';
import type { Schema } from '../../../api/types';
import { full } from '../../../format';
import { Button } from '../../../parts/form';
import { Card } from '../../../parts/page';
import { Ago } from '../../../parts/time';
import { Stack } from './stack';
import { circumstances, otherProperties, thrown } from './trace';

type Sample = Schema<'IssueSample'>;

/** Events of an issue, one at a time: the newest first, the first of all last. */
export function Samples({ samples }: { samples: readonly Sample[] }) {
  const [at, setAt] = useState(0);
  const sample = samples[Math.min(at, samples.length - 1)];
  if (!sample)
    return <Card title="Events">What happened is no longer kept: the events are older than the retention.</Card>;
  return (
    <Card
      title={samples.length === 1 ? 'The event' : `Sample ${at + 1} of ${samples.length}`}
      actions={
        samples.length > 1 && (
          <>
            <Button disabled={at === 0} onClick={() => setAt(at - 1)}>
              Newer
            </Button>
            <Button disabled={at === samples.length - 1} onClick={() => setAt(at + 1)}>
              Older
            </Button>
            <Button disabled={at === samples.length - 1} onClick={() => setAt(samples.length - 1)}>
              Oldest
            </Button>
          </>
        )
      }
    >
      <div class="stack">
        <Facts sample={sample} />
        <Stack key={sample.id} errors={thrown(sample.properties)} />
        <Rest name="Properties" value={otherProperties(sample.properties)} />
        <Rest name="Context" value={sample.context} />
      </div>
    </Card>
  );
}

function Facts({ sample }: { sample: Sample }) {
  const id = sample.user_id ?? sample.anonymous_id;
  return (
    <dl class="facts-list">
      <div>
        <dt>When</dt>
        <dd>
          {full(sample.timestamp)}{' '}
          <span class="muted">
            (<Ago at={sample.timestamp} />)
          </span>
        </dd>
      </div>
      {id && (
        <div>
          <dt>Person</dt>
          <dd>
            <a href={`/people/${encodeURIComponent(id)}`}>{id}</a>
          </dd>
        </div>
      )}
      {circumstances(sample.context).map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Rest({ name, value }: { name: string; value: unknown }) {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return null;
  return (
    <details>
      <summary>{name}</summary>
      <pre class="json">{JSON.stringify(value, null, 2)}</pre>
    </details>
  );
}
