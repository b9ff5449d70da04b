import { useEffect, useState } from 'preact/hooks';
import { answer, GET } from '../../api/client';
import { useAnswer } from '../../api/use';
import { Field } from '../../parts/form';
import type { Filter } from './feed';

/** Who types is asked for after 400 ms of rest, and not for each letter. */
const REST_MS = 400;

/** What is to be shown. */
export function Filters({ filter, onFilter }: { filter: Filter; onFilter: (filter: Filter) => void }) {
  const [event, setEvent] = useState(filter.event);
  const [person, setPerson] = useState(filter.person);
  const names = useAnswer((signal) => answer(GET('/api/v1/event-names', { signal })), []);
  useEffect(() => {
    setEvent(filter.event);
    setPerson(filter.person);
  }, [filter.event, filter.person]);
  useEffect(() => {
    if (event === filter.event && person === filter.person) return;
    const timer = setTimeout(() => onFilter({ ...filter, event, person }), REST_MS);
    return () => clearTimeout(timer);
  }, [event, person, filter.refused]);
  return (
    <div class="live-filters">
      <Field
        label="Event"
        type="search"
        placeholder="Every event"
        list="live-event-names"
        maxLength={200}
        value={event}
        onValue={setEvent}
      />
      <datalist id="live-event-names">
        {names.data?.event_names.map(({ event }) => (
          <option key={event} value={event} />
        ))}
      </datalist>
      <Field
        label="Person"
        type="search"
        placeholder="A user or anonymous id"
        maxLength={200}
        value={person}
        onValue={setPerson}
      />
      <label class="live-refused">
        <input
          type="checkbox"
          checked={filter.refused}
          onChange={(change) => onFilter({ ...filter, refused: change.currentTarget.checked })}
        />
        Only what was refused
      </label>
    </div>
  );
}
