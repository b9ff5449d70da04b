import { expect, test } from 'vitest';
import type { Schema } from '../../../api/types';
import { draftOf, EMPTY, monitorOf } from './draft';

const monitor: Schema<'Monitor'> = {
  id: 7,
  name: 'Shop',
  http: {
    url: 'https://shop.example/health',
    method: 'POST',
    headers: { authorization: null },
    body: '{}',
    expected_status: ['200-299', '404'],
    expected_body: [{ contains: 'ok' }, { json: { pointer: '/n', equals: 1 as never } }],
    follow_redirects: false,
  },
  tcp: null,
  interval_s: 30,
  timeout_ms: 2500,
  created_at: '2026-11-01T10:00:00Z',
  state: 'up',
  since: '2026-11-01T10:00:00Z',
  failures: 0,
  hours: [],
};

test('a monitor that is opened and saved unchanged stays what it is, with the headers that nobody is shown', () => {
  expect(monitorOf(draftOf(monitor))).toEqual({
    name: 'Shop',
    http: monitor.http,
    interval_s: 30,
    timeout_ms: 2500,
  });
});

test('a port is asked, or a request, never both', () => {
  const tcp = monitorOf({ ...EMPTY, name: ' Db ', kind: 'tcp', host: ' db.example', port: '5432' });
  expect(tcp).toEqual({ name: 'Db', tcp: { host: 'db.example', port: 5432 }, interval_s: 60, timeout_ms: 10_000 });
});

test('what is expected as JSON is JSON, or else a text', () => {
  const expected = (value: string) =>
    monitorOf({ ...EMPTY, expected: [{ kind: 'json', pointer: '/s', value }] }).http?.expected_body;
  expect(expected('1')).toEqual([{ json: { pointer: '/s', equals: 1 } }]);
  expect(expected('ok')).toEqual([{ json: { pointer: '/s', equals: 'ok' } }]);
  expect(expected('')).toEqual([]);
});
