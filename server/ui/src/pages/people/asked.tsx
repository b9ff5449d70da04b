import { answer, GET, projectId } from '../../api/client';
import { useAnswer } from '../../api/use';
import { counted } from '../../format';
import { Refused } from '../../parts/form';
import { Ago } from '../../parts/time';
import { personHref } from '../../words/person';

/** Who asked to be erased and still is here. Nobody is erased by asking: the question comes with a public key. */
export function Asked() {
  const asked = useAnswer((signal) => answer(GET('/v1/erasures', { signal })), []);
  const requests = asked.data?.requests ?? [];
  if (requests.length === 0) return <Refused refusal={asked.refusal} again={asked.again} />;
  return (
    <details class="card asked">
      <summary>{counted(requests.length, 'request', 'requests')} to be erased</summary>
      <p class="muted">
        Open the person and erase it, or put the question aside on the server:{' '}
        <code>trailmark person erasures --project {projectId.value} --dismiss EVENT</code>
      </p>
      <ul>
        {requests.map((request) => {
          const id = request.user_id ?? request.anonymous_id ?? '';
          return (
            <li key={request.event_id}>
              <a href={personHref(id)}>
                <bdi>{id}</bdi>
              </a>{' '}
              <Ago at={request.requested_at} />
              {!request.same_person && ', from a device that never signed in as this user: anybody may have asked'}{' '}
              <code class="muted">{request.event_id}</code>
            </li>
          );
        })}
      </ul>
    </details>
  );
}
