import { expect, test } from 'vitest';
import { diagnose, type Evidence } from './diagnosis';

const NOW = Date.parse('2026-11-20T21:13:05Z');

const evidence = (more: Partial<Evidence>): Evidence => ({
  refused: [],
  strangers: [],
  writeKey: 'tm_pk_abc9w',
  origin: 'https://analytics.example.com',
  seesStrangers: true,
  now: NOW,
  ...more,
});

const stranger = (more: Partial<Evidence['strangers'][number]> = {}) => ({
  at: '2026-11-20T21:13:00Z',
  client_ip: '203.0.113.4',
  method: 'POST',
  path: '/v1/batch',
  status: 401,
  code: 'unknown_key',
  key_hint: '…3c',
  origin: null,
  ...more,
});

const refusedEvent = (reason: string, event: string | null = 'checkout') => ({
  kind: 'refused_event' as const,
  data: { received_at: '', index: 0, reason, detail: '`null` names nobody', event },
});

test('an unknown key is told by its end, beside the end of the right one', () => {
  const [finding] = diagnose(evidence({ strangers: [stranger(), stranger()] }));
  expect(finding).toMatchObject({ title: 'A request arrived, and was refused with 401', times: 2 });
  expect(finding?.means).toBe('It came with a key that ends in …3c, which is unknown here or was revoked.');
  expect(finding?.hints).toContain('The key of this project ends in …9w.');
});

test('a browser that asked and may not send is told what to allow', () => {
  const asks = stranger({
    method: 'OPTIONS',
    status: 204,
    code: 'origin_refused',
    key_hint: null,
    origin: 'https://shop.example',
  });
  const [finding] = diagnose(evidence({ strangers: [asks] }));
  expect(finding?.title).toBe('A browser asked, and did not send');
  expect(finding?.means).toBe('A web page of https://shop.example asked whether it may send events, and may not.');
  expect(finding?.hints.join()).toContain('cors_origins');
});

test('a missing key and a secret key are told apart', () => {
  const keys = [stranger({ code: 'missing_key', key_hint: null }), stranger({ code: 'wrong_key_kind', status: 403 })];
  expect(diagnose(evidence({ strangers: keys })).map((finding) => finding.means)).toEqual([
    'It came without a key, so nobody knows which project is meant.',
    'It came with a secret key.',
  ]);
});

test('an event with a wrong id, and a request that is no JSON, are said to be so, once each, before what strangers send', () => {
  const request = { received_at: '', status: 400, code: 'invalid_json', detail: 'EOF at line 1' };
  const found = diagnose(
    evidence({
      refused: [
        refusedEvent('junk_user_id'),
        refusedEvent('junk_user_id'),
        { kind: 'refused_request', data: request },
        refusedEvent('missing_name', null),
      ],
      strangers: [stranger()],
    }),
  );
  expect(found.map((finding) => [finding.title, finding.times])).toEqual([
    ['“checkout” arrived, and was refused', 2],
    ['A request with this project’s key arrived, and was refused with 400', 1],
    ['An event arrived, and was refused', 1],
    ['A request arrived, and was refused with 401', 1],
  ]);
  expect(found[0]?.detail).toBe('`null` names nobody');
  expect(found[1]?.means).toBe('The body is not JSON.');
});

test('what strangers sent long ago is not held against this app', () => {
  const [finding] = diagnose(evidence({ strangers: [stranger({ at: '2026-11-20T21:00:00Z' })] }));
  expect(finding?.title).toBe('Nothing has arrived at all');
});

test('where nothing arrived, the way here is looked at', () => {
  const hint = (origin: string) => diagnose(evidence({ origin }))[0]?.hints.join();
  expect(hint('https://analytics.example.com')).toContain('sends to https://analytics.example.com');
  expect(hint('http://127.0.0.1:7800')).toContain('A phone or another machine means itself by 127.0.0.1');
  expect(hint('http://127.0.0.1:7800')).toContain('--listen 0.0.0.0:7800');
  expect(hint('http://192.168.1.4:7700')).toContain('plain http');
  expect(hint('https://analytics.example.com')).not.toContain('phone');
  expect(diagnose(evidence({ seesStrangers: false }))[0]?.means).toContain('admins see here');
});
