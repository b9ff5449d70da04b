import { count, millis, percent } from '../../format';
import { AsTable } from '../../parts/as-table';
import { Strip } from '../../parts/strip';
import { last, type NowAnswer, over } from './words';

type Values = readonly (number | null)[];

/** The last hour, minute by minute. */
export function Strips({ strips }: { strips: NowAnswer['strips'] }) {
  const events = over<number | null>(strips.events);
  const errors = over(strips.error_rate);
  const uptime = over(strips.uptime);
  const p95 = over(strips.p95_ms);
  const minutes = events.map((_, at) => new Date(Date.parse(strips.from ?? '') + at * 60_000));
  return (
    <section aria-label="The last hour">
      <div class="strips">
        <Thin name="Events" unit="a minute" href="/live" values={events} format={count} none="no events" />
        <Thin name="Errors" unit="of events" href="/health/errors" values={errors} format={percent} none="no events" />
        <Thin name="Uptime" href="/health/monitors" values={uptime} format={percent} none="no monitors" top={1} />
        <Thin name="p95 of requests" href="/health/endpoints" values={p95} format={millis} none="no requests" />
      </div>
      <AsTable
        label="The last hour"
        rows={() => minutes.map((_, at) => minutes.length - 1 - at)}
        keyOf={(at) => at}
        columns={[
          {
            name: 'Minute',
            cell: (at) => minutes[at]?.toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit' }),
          },
          { name: 'Events', number: true, cell: (at) => count(events[at]) },
          { name: 'Errors', number: true, cell: (at) => percent(errors[at]) },
          { name: 'Uptime', number: true, cell: (at) => percent(uptime[at]) },
          { name: 'p95', number: true, cell: (at) => millis(p95[at]) },
        ]}
      >
        The last hour, minute by minute.
      </AsTable>
    </section>
  );
}

function Thin(props: {
  name: string;
  unit?: string;
  href: string;
  values: Values;
  top?: number;
  format: (value: number | null) => string;
  /** What is said when nothing is known of the whole hour. */
  none: string;
}) {
  const value = last(props.values);
  const isKnown = props.values.some((one) => one !== null);
  const said = isKnown ? props.format(value) : props.none;
  return (
    <a class="thin" href={props.href}>
      <span class="muted">{props.name}</span>
      <span class={isKnown ? 'thin-value' : 'thin-none muted'}>
        {said} {value !== null && props.unit && <small class="muted">{props.unit}</small>}
      </span>
      <Strip values={props.values} top={props.top ?? 0} label={`${props.name} in the last hour; now ${said}`} />
    </a>
  );
}
