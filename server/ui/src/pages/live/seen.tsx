import { Snippet } from '../../parts/copy';
import { Dialog } from '../../parts/dialog';
import { brief } from '../../words/events';
import { pretty } from '../../words/json';
import { personHref } from '../../words/person';
import { Why } from './arrivals';
import type { Arrival } from './feed';

/** All that is known of one arrival. */
export function Seen({ row, onClose }: { row: Arrival; onClose: () => void }) {
  const who = row.kind === 'refused_request' ? null : (row.data.user_id ?? row.data.anonymous_id);
  return (
    <Dialog title={titleOf(row)} onClose={onClose} wide>
      <div class="stack">
        {row.kind !== 'event' && <Why row={row} />}
        {who != null && (
          <p>
            <a href={personHref(who)}>
              See all that <bdi>{who}</bdi> did
            </a>
          </p>
        )}
        <Snippet label="The event as JSON" text={pretty(row.data)} />
      </div>
    </Dialog>
  );
}

function titleOf(row: Arrival): string {
  if (row.kind === 'refused_request') return `A request was refused with ${row.data.status}`;
  if (row.kind === 'event') return brief(row.data.event);
  return row.data.event == null ? 'An event without a name was refused' : `Refused: ${brief(row.data.event)}`;
}
