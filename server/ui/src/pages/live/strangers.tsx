import { counted } from '../../format';
import { ofStranger } from '../../words/stranger';
import { clockTime } from './time';
import type { Stranger } from './use-strangers';

/** Requests that brought events and belong to no project, with why. */
export function Strangers({ requests, open }: { requests: readonly Stranger[]; open: boolean }) {
  if (requests.length === 0) return null;
  return (
    <details class="card strangers" open={open}>
      <summary>
        {counted(requests.length, 'request', 'requests')} lately that {requests.length === 1 ? 'belongs' : 'belong'} to
        no project
      </summary>
      <ol class="arrivals">
        {requests.map((request) => {
          const { means, hint } = ofStranger(request);
          return (
            <li class="arrival refused-arrival" key={`${request.at} ${request.client_ip} ${request.code}`}>
              <time dateTime={request.at}>{clockTime(request.at)}</time>
              <span class="arrival-what">
                <bdi>
                  {request.method} {request.path}
                </bdi>
                {request.method !== 'OPTIONS' && <span class="muted">{request.status}</span>}
              </span>
              <bdi class="arrival-who muted">{request.client_ip}</bdi>
              <p class="arrival-why">
                {means} {hint}
              </p>
            </li>
          );
        })}
      </ol>
    </details>
  );
}
