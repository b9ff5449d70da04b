/** A project of a server: its keys, and what is really stored of it. */
import assert from 'node:assert/strict';

import { until } from './wait.mjs';

/** Makes a project, a write key and a secret key through the command line. */
export async function makeProject(server, name = 'web') {
  const { id } = await server.command('project', 'create', name);
  const key = async (kind) => (await server.command('key', 'create', '--project', `${id}`, '--kind', kind)).key;
  const write = await key('write');
  const secret = await key('secret');

  async function read(path) {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${secret}` } });
    return response.json();
  }

  /** All stored events, in the order of their ids. */
  const rows = async () => JSON.parse(await server.sql(rowsOf(id)));

  /** The events with this name. */
  const named = async (event) => (await rows()).filter((row) => row.event === event);

  const count = async (event) => Number(await server.sql(countOf(id, event)));

  /** Waits until exactly this many events of this name are stored, and returns them. */
  async function stored(event, expected, patience) {
    const told = async () => `${expected} rows of ${event}, there are ${await count(event)}`;
    await until(told, async () => (await count(event)) >= expected, patience);
    const found = await named(event);
    assert.equal(found.length, expected, `rows of ${event}`);
    assert.equal(new Set(found.map((row) => row.id)).size, expected, 'an event is stored twice');
    return found;
  }

  /** Waits until what all installs say of themselves adds up, nothing queued and nothing lost, to at least `captured`. */
  async function settled(captured = 1) {
    let totals;
    const told = () => `${captured} captured, none queued and none lost, it is ${JSON.stringify(totals)}`;
    await until(told, async () => {
      ({ totals } = await read('/api/analytics/delivery'));
      return totals.captured >= captured && totals.queued === 0 && totals.lost === 0;
    });
    return totals;
  }

  const person = (who) => read(`/v1/persons/${encodeURIComponent(who)}`);
  return { id, write, secret, server, rows, named, count, stored, settled, person };
}

const FROM = `events e
  JOIN event_names n ON n.project_id = e.project_id AND n.id = e.event_name_id
  JOIN identities i ON i.project_id = e.project_id AND i.id = e.identity_id
  LEFT JOIN identities a ON a.project_id = e.project_id AND a.id = e.anonymous_identity_id`;

const rowsOf = (project) => `SELECT coalesce(json_agg(r ORDER BY r.id), '[]') FROM (
  SELECT e.id, n.name AS event, e.seq, e.install_id, e.session_id, e.properties, e.client_timestamp,
    CASE i.kind WHEN 1 THEN i.external_id END AS user_id,
    CASE i.kind WHEN 0 THEN i.external_id ELSE a.external_id END AS anonymous_id
  FROM ${FROM} WHERE e.project_id = ${project}) r`;

const countOf = (project, event) => `SELECT count(*) FROM ${FROM} WHERE e.project_id = ${project} AND n.name = '${event}'`;
