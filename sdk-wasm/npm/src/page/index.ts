/** What a page expects of its analytics: each feature a file with a switch in `Options`. None needs the wasm. */
import type { Inside } from '../inside';
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
export function startPage(client: Inside): void {
  if (!client.isOptedOut()) return startAll(client);
  const { optIn } = client;
  client.optIn = () => {
    client.optIn = optIn;
    optIn();
    // The view in which the visitor agreed; the stub could not record it.
    if (client.options_.pageviews !== false) client.page();
    startAll(client);
  };
}

/** A feature of which the browser lacks parts is left out. */
function startAll(client: Inside): void {
  const { campaigns = true, clicks = true, errors = true, requests, vitals = true } = client.options_;
  const start = (wanted: unknown, feature: (client: Inside) => void): void => {
    if (wanted) quietly(() => feature(client));
  };
  start(errors, watchErrors);
  start(campaigns, tellCampaign);
  start(true, watchViews);
  start(clicks, watchClicks);
  start(vitals, watchVitals);
  start(requests, watchRequests);
}
