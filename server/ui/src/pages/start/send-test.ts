import { answer, Refusal } from '../../api/client';

interface Receipt {
  accepted: number;
  results: { reason: string; detail: string }[];
}

/** Sends an event as an app would: with the write key, and without the session. */
export async function sendTest(writeKey: string) {
  const sent = async () => {
    const response = await fetch('/api/events', {
      method: 'POST',
      credentials: 'omit',
      headers: { Authorization: `Bearer ${writeKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ anonymous_id: 'dashboard-test', event: 'test event', properties: { from: 'dashboard' } }),
    });
    const body: unknown = await response.json().catch(() => undefined);
    return response.ok ? { data: body as Receipt, response } : { error: body, response };
  };
  const { results } = await answer(sent());
  const [refused] = results;
  if (refused) throw new Refusal(refused.reason, `It was refused: ${refused.detail}`, '', 202);
}
