/** The requests of a file and of the stub, taken apart as text. */
import { members, parts, read } from './text';

/** What a file expects to be sent. */
export interface Expected {
  id: string;
  events: string[];
  /** The same outcome with other events, and with what the headers of another request say at each of its attempts alike. */
  saying(events: string[], headers: { [name: string]: string }): string;
}

/** Takes an outcome apart. */
export function expected(expect: string): Expected {
  const send = members(members(expect).get('send') ?? '{}');
  const headers = read(send.get('headers') ?? '{}') as { [name: string]: string };
  const body = (read(send.get('body') ?? '[]') as string[]).join('');
  const events = eventsOf(body);
  const [before = '', after = ''] = body.split(events.join(','));
  const path = read(send.get('path') ?? '""');
  return {
    id: headers['trailmark-request-id'] ?? '',
    events,
    saying(events, { authorization, 'trailmark-sdk': sdk }) {
      const said = { ...headers, authorization, 'trailmark-sdk': sdk };
      return JSON.stringify({ send: { method: 'POST', path, headers: said, body: [before + events.join(',') + after] } });
    },
  };
}

/** The events of a body, as they are written. */
export function eventsOf(body: string): string[] {
  return parts(members(body).get('batch') ?? '[]');
}

/** An event's id without its counter, which the core shares with its requests and the stub does not. */
export function idOf(event: string): string {
  const id = /^\{"id":"([^"]*)"/.exec(event)?.[1] ?? '';
  return id.slice(0, 14) + id.slice(18);
}

/** The event with the number of another one. */
export function numbered(event: string | undefined, other: string): string {
  const number = /^\{"id":"[^"]*",("seq":\d+,)/.exec(other)?.[1];
  return event?.replace(',', `,${number}`) ?? '"not sent"';
}

/** The event without its number. */
export function unnumbered(event: string): string {
  return event.replace(/^(\{"id":"[^"]*"),"seq":\d+/, '$1');
}
