import { useState } from 'preact/hooks';
import { Select } from '../../parts/form';
import { Settled } from '../../parts/settled';
import { isDate, RANGES, rangeSaid } from '../../question/range';

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Stretch {
  date_from: string;
  date_to?: string | null;
  timezone: string;
}

/** From when to when, and where days begin. */
export function RangeEditor(props: { value: Stretch; onValue: (range: Stretch) => void }) {
  const { value, onValue } = props;
  const { date_from: from, date_to: to = null, timezone } = value;
  const known = RANGES.some((range) => range.from === from) && to === null;
  const [choosing, setChoosing] = useState(false);
  const custom = choosing || !known;
  const choose = (which: string) => {
    setChoosing(which === 'custom');
    if (which !== 'custom') onValue({ ...value, date_from: which, date_to: null });
  };
  const zones = [...new Set([here(), 'UTC', timezone])];
  return (
    <div class="ask-rows">
      <Select
        label="Stretch of time"
        bare
        value={custom ? 'custom' : from}
        choices={[
          ...RANGES.map((range) => [range.from as string, range.name] as const),
          ['custom', known ? 'From … to …' : rangeSaid(from, to)] as const,
        ]}
        onValue={choose}
      />
      {custom && (
        <div class="ask-pair">
          <Settled
            label="From"
            type="date"
            value={isDate(from) ? from : ''}
            onValue={(date) => date !== '' && onValue({ ...value, date_from: date })}
          />
          <Settled
            label="To"
            type="date"
            hint="its whole day"
            value={isDate(to) ? to : ''}
            onValue={(date) => onValue({ ...value, date_to: date === '' ? null : date })}
          />
        </div>
      )}
      <Select
        label="Where days begin"
        bare
        value={timezone}
        choices={zones.map((zone) => [zone, `days of ${zone.replaceAll('_', ' ')}`] as const)}
        onValue={(zone) => onValue({ ...value, timezone: zone })}
      />
    </div>
  );
}
