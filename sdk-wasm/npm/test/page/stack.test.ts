import { describe, expect, it, vi } from 'vitest';
import { framesOf } from '../../src/page/stack';

vi.stubGlobal('location', { origin: 'https://shop.example' });
const app = (line: number, column: number, name?: string) => ({
  ...(name && { function: name }),
  file: 'https://shop.example/app.js',
  line,
  column,
  in_app: true,
});

describe('the stacks that browsers write', () => {
  it('Chromium', () => {
    const stack = `TypeError: Cannot read properties of undefined (reading 'card')
    at Cart.pay (https://shop.example/app.js?v=7:10:15)
    at async Promise.all (index 0)
    at new Cart (https://shop.example/app.js:3:9)
    at Object.run [as go] (https://cdn.example/lib.js:1:2044)
    at Array.map (<anonymous>)
    at eval (eval at start (https://shop.example/app.js:1:2), <anonymous>:1:7)
    at https://shop.example/app.js:44:1
    at async https://shop.example/(shop)/app.js:45:2
    at HTMLButtonElement.<anonymous> (https://shop.example/app.js:50:3)`;
    expect(framesOf(stack)).toEqual([
      app(10, 15, 'Cart.pay'),
      { function: 'Promise.all', in_app: false },
      app(3, 9, 'new Cart'),
      { function: 'Object.run [as go]', file: 'https://cdn.example/lib.js', line: 1, column: 2044, in_app: false },
      { function: 'Array.map', in_app: false },
      { function: 'eval', line: 1, column: 7, in_app: false },
      app(44, 1),
      { file: 'https://shop.example/(shop)/app.js', line: 45, column: 2, in_app: true },
      app(50, 3, 'HTMLButtonElement.<anonymous>'),
    ]);
  });

  it('Firefox', () => {
    const stack = `pay@https://shop.example/app.js:10:15
async*go@https://shop.example/app.js:3:9
run/<@https://cdn.example/@scope/lib.js:1:2044
@https://shop.example/app.js:44:1
setTimeout handler*@https://shop.example/app.js:50:3
`;
    expect(framesOf(stack)).toEqual([
      app(10, 15, 'pay'),
      app(3, 9, 'go'),
      { function: 'run/<', file: 'https://cdn.example/@scope/lib.js', line: 1, column: 2044, in_app: false },
      app(44, 1),
      app(50, 3, 'setTimeout handler*'),
    ]);
  });

  it('Safari', () => {
    const stack = `pay@https://shop.example/app.js:10:15
map@[native code]
https://shop.example/app.js:44:1
global code@https://shop.example/app.js:50:3
module code@https://cdn.example/@scope/lib.js:2:1`;
    expect(framesOf(stack)).toEqual([
      app(10, 15, 'pay'),
      { function: 'map', in_app: false },
      app(44, 1),
      app(50, 3, 'global code'),
      { function: 'module code', file: 'https://cdn.example/@scope/lib.js', line: 2, column: 1, in_app: false },
    ]);
  });

  it('what is no stack has no frames, and a long one takes no time', () => {
    expect(framesOf('')).toEqual([]);
    expect(framesOf('no stack at all')).toEqual([]);
    const began = performance.now();
    framesOf(`    at ${'a ('.repeat(1e6)}`);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
