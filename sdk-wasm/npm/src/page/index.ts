/** What a page expects of its analytics: each feature a file of its own with a switch in `Options`. None needs the wasm. */
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

/** Called once for each client, as soon as the engine file is there; a feature that the browser lacks parts of is left out. */
export function startPage(client: Inside): void {
  const { campaigns, clicks, errors, requests, vitals } = client.options_;
  const start = (wanted: unknown, feature: (client: Inside) => void): void => {
    if (wanted) quietly(() => feature(client));
  };
  start(errors !== false, watchErrors);
  start(campaigns !== false, tellCampaign);
  start(true, watchViews);
  start(clicks !== false, watchClicks);
  start(vitals !== false, watchVitals);
  start(requests, watchRequests);
}
