import { expect, test } from 'vitest';
import { evidenceName, pageOf } from './evidence';

/** What the server's detectors give as evidence, by the kind of problem. */
const EVIDENCE = {
  monitor_down: ['/api/v1/monitors/3', '/health/monitors/3'],
  events_stopped: [
    '/api/v1/events?event=a%20%26%20b',
    `/explore?${new URLSearchParams({ q: '{"kind":"trends","date_from":"-7d","interval":"hour","series":[{"event":"a & b","math":"total"}]}' })}`,
  ],
  ingest: ['/api/v1/ingest', '/health/delivery'],
  failing_endpoint: [
    '/api/v1/endpoints/series?source=gateway&method=POST&path=/api/checkout',
    '/health/endpoints/one?source=gateway&method=POST&path=/api/checkout',
  ],
  error_spike: ['/api/v1/issues/7', '/health/errors/7'],
  regressed_issue: ['/api/v1/issues/8', '/health/errors/8'],
  new_issue: ['/api/v1/issues/9', '/health/errors/9'],
  slow_endpoint: [
    '/api/v1/endpoints/series?source=client&method=GET&path=/a/%3Aid&host=h%3A1',
    '/health/endpoints/one?source=client&method=GET&path=/a/%3Aid&host=h%3A1',
  ],
  funnel_dropped: ['/api/v1/saved_queries/12/answer', '/explore?saved=12'],
  threshold: ['/api/v1/saved_queries/13/answer', '/explore?saved=13'],
  certificate_expiring: ['/api/v1/monitors/4', '/health/monitors/4'],
} as const;

test.each(Object.entries(EVIDENCE))('the evidence of %s is one click away', (kind, [evidence, page]) => {
  expect(pageOf(evidence)).toBe(page);
  expect(evidenceName(kind)).not.toBe('See the evidence');
});

test('errors of many kinds together, and silence of all events, have pages of their own', () => {
  expect(pageOf('/api/v1/issues?sort=last_seen&from=2026-11-20T12:00:00Z')).toBe(
    '/health/errors?sort=last_seen&from=2026-11-20T12:00:00Z',
  );
  expect(pageOf('/api/v1/events')).toBe('/live');
});

test('evidence that is not known leads to all problems, never away from here', () => {
  expect(pageOf('https://evil.example/')).toBe('/health/problems');
  expect(pageOf('//evil.example/')).toBe('/health/problems');
  expect(evidenceName('something_new')).toBe('See the evidence');
});
