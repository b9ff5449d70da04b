/** What a page expects of its analytics: each feature a file with a switch in `Options`. None needs the wasm. */
import type { Inside } from '../inside';
import { nextTask } from '../task';
import { tellCampaign } from './campaign';
import { watchClicks } from './clicks';
import { watchErrors } from './errors';
import { quietly } from './hearing';
import { watchRequests } from './requests';
import { watchViews } from './views';
import { watchVitals } from './vitals';

export { captureException } from './exception';
export { captureRequest } from './request';

/** Called once for each client, as soon as the engine file is there. Nothing listens before the visitor agrees. */
export async function startPage(client: Inside): Promise<void> {
  if (!client.isOptedOut()) return startAll(client);
  const { optIn } = client;
  client.optIn = () => {
    client.optIn = optIn;
    optIn();
    // The view in which the visitor agreed; the stub could not record it.
    if (client.options_.pageviews !== false) client.page();
    void startAll(client);
  };
}

/** Each in a task of its own. A feature of which the browser lacks parts is left out. */
async function startAll(client: Inside): Promise<void> {
  const { campaigns = true, clicks = true, errors = true, requests, vitals = true } = client.options_;
  const features: [unknown, (client: Inside) => void][] = [
    [errors, watchErrors],
    [campaigns, tellCampaign],
    [true, watchViews],
    [clicks, watchClicks],
    [vitals, watchVitals],
    [requests, watchRequests],
  ];
  for (const [wanted, feature] of features) {
    if (!wanted) continue;
    await nextTask();
    quietly(() => feature(client));
  }
}
