import { Component } from 'preact';
import { Badge } from '../../parts/badge';
import { told } from '../../words/events';
import { personHref } from '../../words/person';
import { ofCode, ofReason } from '../../words/refusals';
import type { Arrival, Row } from './feed';
import { clockTime } from './time';

/** Rows of what has arrived, newest first. */
export function Arrivals({ rows, onOpen }: { rows: readonly Row[]; onOpen: (row: Row) => void }) {
  if (rows.length === 0) return null;
  return (
    <ol class="card arrivals" aria-label="What has arrived, newest first">
      {rows.map((row) => (
        <Line key={row.key} row={row} onOpen={onOpen} />
      ))}
    </ol>
  );
}

/** A row never changes, so it is drawn once. */
class Line extends Component<{ row: Row; onOpen: (row: Row) => void }> {
  override shouldComponentUpdate(next: { row: Row }) {
    return next.row !== this.props.row;
  }

  override render() {
    const { row, onOpen } = this.props;
    const { what, more, name } = lineOf(row);
    const who = row.kind === 'refused_request' ? null : (row.data.user_id ?? row.data.anonymous_id);
    return (
      <li class={row.kind === 'event' ? 'arrival' : 'arrival refused-arrival'}>
        <time dateTime={row.data.received_at}>{clockTime(row.data.received_at)}</time>
        <span class="arrival-what">
          {row.kind !== 'event' && <Badge tone="bad">refused</Badge>}
          <button type="button" class="linklike" onClick={() => onOpen(row)}>
            <bdi>{what}</bdi>
          </button>
          {name && <code class="muted">{name}</code>}
          <bdi class="arrival-more muted">{more}</bdi>
        </span>
        {who != null && (
          <a class="arrival-who" href={personHref(who)}>
            <bdi>{who}</bdi>
          </a>
        )}
        {row.kind !== 'event' && <Why row={row} />}
      </li>
    );
  }
}

/** A row in words; `name` is that of the event, where the words are others. */
function lineOf(row: Row): { what: string; more: string; name?: string } {
  if (row.kind === 'refused_request') return { what: `A whole request: ${row.data.status}`, more: row.data.code };
  if (row.kind === 'refused_event') return { what: row.data.event ?? 'An event without a name', more: row.data.reason };
  const line = told(row.data);
  return line.what === row.data.event ? line : { ...line, name: row.data.event };
}

/** Why it was refused, and what to do. */
export function Why({ row }: { row: Exclude<Arrival, { kind: 'event' }> }) {
  const { means, hint } = row.kind === 'refused_event' ? ofReason(row.data.reason) : ofCode(row.data.code);
  return (
    <p class="arrival-why">
      {means} {hint} <bdi class="muted">{row.data.detail}</bdi>
    </p>
  );
}
