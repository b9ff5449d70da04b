import { expect, test } from 'vitest';
import { asText, circumstances, type Frame, otherProperties, runs, thrown } from './trace';

const own = (name: string): Frame => ({ name, place: 'a.dart:1', isOwn: true });
const library = (name: string): Frame => ({ name, place: 'b.dart:2', isOwn: false });

test('a stack keeps its order, and is cut where own code and libraries meet', () => {
  const cut = runs([library('throw'), own('pay'), own('tap'), library('dispatch'), library('zone'), own('main')]);
  expect(cut.map((run) => [run.isOwn, run.frames.map((frame) => frame.name)])).toEqual([
    [false, ['throw']],
    [true, ['pay', 'tap']],
    [false, ['dispatch', 'zone']],
    [true, ['main']],
  ]);
});

test('a stack without any own code hides nothing', () => {
  expect(runs([library('a'), library('b')])).toEqual([{ isOwn: true, frames: [library('a'), library('b')] }]);
  expect(runs([])).toEqual([]);
});

test('an error is read with its causes', () => {
  const frames = [{ function: 'pay', filename: 'cart.dart', lineno: 88, colno: 7, in_app: true }];
  const read = thrown({
    $exception_list: [
      { type: 'StateError', value: 'no card', mechanism: { handled: false }, stacktrace: { frames } },
      { type: 'HttpException', value: '502' },
    ],
  });
  expect(read).toEqual([
    {
      type: 'StateError',
      message: 'no card',
      handled: false,
      frames: [{ name: 'pay', place: 'cart.dart:88:7', isOwn: true }],
    },
    { type: 'HttpException', message: '502', handled: null, frames: [] },
  ]);
  expect(asText(read)).toBe('StateError: no card\n    at pay (cart.dart:88:7)\nCaused by HttpException: 502');
});

test('whatever an app sends, reading it never throws', () => {
  for (const sent of [null, 'x', 7, [], { $exception_list: 'x' }, { $exception_list: [null, 'x', { stacktrace: [] }] }])
    expect(() => asText(thrown(sent))).not.toThrow();
  expect(
    thrown({ $exception_list: [{ stacktrace: { frames: [{ function: 7, lineno: '<b>' }] } }] })[0]?.frames,
  ).toEqual([{ name: '(without a name)', place: '', isOwn: false }]);
  expect(circumstances('x')).toEqual([]);
});

test('circumstances are told in words, and the rest of the event apart from the error', () => {
  expect(circumstances({ app: { version: '1.4.0' }, os: { name: 'iOS', version: '18.1' } })).toEqual([
    { name: 'Release', value: '1.4.0' },
    { name: 'System', value: 'iOS 18.1' },
  ]);
  expect(otherProperties({ $exception_level: 'error', cart: 3 })).toEqual({ cart: 3 });
});
