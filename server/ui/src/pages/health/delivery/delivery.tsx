import { answer, GET } from '../../../api/client';
import { useAnswer } from '../../../api/use';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { HealthPage } from '../frame';
import { Ingest } from './ingest';
import { Loss } from './loss';

/** Whether what the apps capture arrives. */
export function Delivery() {
  const ingest = useAnswer((signal) => answer(GET('/api/v1/ingest', { signal })), []);
  return (
    <HealthPage tab="delivery">
      <Refused refusal={ingest.refusal} again={ingest.again} />
      <Loading when={ingest.loading && !ingest.data} />
      {ingest.data && <Ingest ingest={ingest.data} />}
      <Loss />
    </HealthPage>
  );
}
