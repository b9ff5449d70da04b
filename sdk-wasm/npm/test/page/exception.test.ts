import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { Inside } from '../../src/inside';
import { captureException, chainOf, cut, exceptionProperties } from '../../src/page/exception';
import { captureRequest, placeOf } from '../../src/page/request';

vi.stubGlobal('location', { origin: 'https://shop.example' });

/** A client that keeps what is recorded. */
function recorder() {
  const events: { name: string; properties: string }[] = [];
  const record_ = (name: string, properties: unknown) => events.push({ name, properties: JSON.stringify(properties) });
  return { client: { record_ } as unknown as Inside, events };
}

/** What the core's vector says of the properties of its events, and the calls that made them. */
function vector(name: string): { calls: Record<string, unknown>[]; properties: string[] } {
  const file = new URL(`../../../../sdk-core/tests/vectors/${name}.json`, import.meta.url);
  const repeated = (value: unknown): unknown => {
    const { $repeat } = Object(value);
    return $repeat ? $repeat[0].repeat($repeat[1]) : value;
  };
  const { steps } = JSON.parse(readFileSync(file, 'utf8'), (_, value) => repeated(value));
  const calls = steps.filter((step: { with?: unknown }) => step.with).map((step: { with: unknown }) => step.with);
  const { body } = steps.at(-1).expect.send;
  const { batch } = JSON.parse(body.join(''));
  return { calls, properties: batch.map((event: { properties: unknown }) => JSON.stringify(event.properties)) };
}

describe('to the byte what the core writes', () => {
  it('of errors', () => {
    const { client, events } = recorder();
    const { calls, properties } = vector('exception');
    for (const { properties: given, ...facts } of calls) captureException(client, facts, given as never);
    expect(events.map((event) => event.properties)).toEqual(properties);
    expect(events.map((event) => event.name)).toEqual(['$exception', '$exception']);
  });

  it('of requests', () => {
    const { client, events } = recorder();
    const { calls, properties } = vector('http_request');
    for (const { properties: given, ...facts } of calls) captureRequest(client, facts as never, given as never);
    expect(events.map((event) => event.properties)).toEqual(properties);
    expect(events.map((event) => event.name)).toEqual(['$request', '$request']);
  });
});

describe('errors', () => {
  it('are cut like the core cuts them', () => {
    expect(cut('', 3)).toBe('');
    expect(cut('äö', 4)).toBe('äö');
    expect(cut('äö', 3)).toBe('ä');
    expect(cut('"x', 2)).toBe('"');
    expect(cut('\n\n', 11)).toBe('\n');
    expect(cut('界', 2)).toBe('');
    expect(cut('😀😀', 7)).toBe('😀');
  });

  it('a chain and a stack without end still fit an event', () => {
    for (const letter of ['x', 'я', '界', '"', '\\', '\u0001', '😀']) {
      const long = letter.repeat(10_000);
      const frames = Array(500).fill({ function: long, file: long, line: 2 ** 32 - 1, column: 2 ** 32 - 1, in_app: false });
      for (const causes of [1, 3, 8, 100]) {
        const properties = exceptionProperties({ thrown: Array(causes).fill({ kind: long, message: long, frames }) });
        expect(Buffer.byteLength(JSON.stringify(properties))).toBeLessThan(52 * 1024);
      }
    }
  });

  it('come with their causes and those of an aggregate, each once and at most 8', () => {
    const inner = new RangeError('inner');
    const outer = new Error('outer', { cause: inner });
    (inner as Error & { cause: unknown }).cause = outer;
    expect(chainOf(outer).map(({ kind, message }) => `${kind}: ${message}`)).toEqual(['Error: outer', 'RangeError: inner']);
    const many = new AggregateError([new Error('a'), 'b', outer], 'all');
    expect(chainOf(many).map(({ message }) => message)).toEqual(['all', 'a', 'b', 'outer', 'inner']);
    const hundred = Array.from({ length: 100 }, (_, nth) => new Error(`${nth}`));
    expect(chainOf(new AggregateError(hundred)).length).toBe(8);
  });

  it('a message that looks like a frame is none', () => {
    const error = new Error('first\n    at liar (https://shop.example/lie.js:1:1)\nlast');
    expect(chainOf(error)[0]?.frames?.some(({ function: name }) => name === 'liar')).toBe(false);
    expect(chainOf(error)[0]?.frames?.length).toBeGreaterThan(1);
  });

  it('anything may be thrown', () => {
    const says = (error: unknown) => chainOf(error).map(({ kind, message }) => `${kind}: ${message}`);
    expect(says('no card')).toEqual(['string: no card']);
    expect(says(undefined)).toEqual(['undefined: undefined']);
    expect(says(null)).toEqual(['object: null']);
    expect(says(7)).toEqual(['number: 7']);
    expect(says({ secret: 1 })).toEqual(['object: [object Object]']);
    expect(says({ name: 'HttpError', message: 'teapot' })).toEqual(['HttpError: teapot']);
  });

  it('one that is told again is not told again, but by another client it is', () => {
    const { client, events } = recorder();
    const error = new Error('once');
    captureException(client, error, { cart: 3 });
    captureException(client, error);
    captureException(recorder().client, error);
    expect(events.length).toBe(1);
    expect(JSON.parse(events[0]!.properties).$exception_list[0].mechanism).toEqual({ handled: true });
    captureException(client, 'text');
    captureException(client, 'text');
    expect(events.length).toBe(3);
  });
});

it('what may be secret in an address is not captured', () => {
  const cases: [string, string | undefined, string][] = [
    ['https://u:p@api.example.com:8443/cart/7?token=s#top', 'api.example.com:8443', '/cart/7'],
    ['https://api.example.com?token=s', 'api.example.com', '/'],
    ['https://api.example.com/@ann/posts', 'api.example.com', '/@ann/posts'],
    ['http://[::1]:7700/health', '[::1]:7700', '/health'],
    ['//u:p@host/x', 'host', '/x'],
    ['/cart?token=s', undefined, '/cart'],
    ['cart/7', undefined, 'cart/7'],
    ['', undefined, ''],
    ['https:/u:p@host/x', undefined, ''],
    ['u:p@host/x', undefined, ''],
    ['https://u:p/w@host/x', undefined, ''],
    ['https://u:p?w@host/x', undefined, ''],
    ['https://u:p#w@host/x', undefined, ''],
    ['https:///x', undefined, ''],
    ['/proxy/https://u:p@host/x', undefined, '/proxy/https'],
    ['https://proxy.example.com/https://u:p@host/x', 'proxy.example.com', '/https'],
  ];
  for (const [url, host, path] of cases) expect(placeOf(url), url).toEqual([host, path]);
});
