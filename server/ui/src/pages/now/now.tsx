import { answer, GET } from '../../api/client';
import { useAnswer } from '../../api/use';
import { Refused } from '../../parts/form';
import { Page } from '../../parts/page';

/** What is broken, and how it goes. */
export function Now() {
  const now = useAnswer((signal) => answer(GET('/api/v1/now', { signal })), []);
  return (
    <Page title={now.data?.verdict ?? 'Now'}>
      <Refused refusal={now.refusal} again={now.again} />
    </Page>
  );
}
