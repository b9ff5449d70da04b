import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Combobox } from './combobox';

const options = [
  { value: '', name: 'Any event' },
  { value: 'cart', hint: '12' },
  { value: 'checkout', hint: '3' },
];

let root: HTMLElement;
const onPick = vi.fn();

const input = () => root.querySelector('input') as HTMLInputElement;
const offered = () => [...root.querySelectorAll('[role=option]')].map((one) => one.querySelector('span')?.textContent);
const active = () => root.querySelector(`[id="${input().getAttribute('aria-activedescendant')}"] span`)?.textContent;
const press = (key: string) => {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
  return act(() => void input().dispatchEvent(event)).then(() => event);
};
const type = (text: string) =>
  act(() => {
    input().value = text;
    input().dispatchEvent(new Event('input', { bubbles: true }));
  });

beforeEach(async () => {
  onPick.mockClear();
  root = document.createElement('div');
  document.body.append(root);
  await act(() => render(<Combobox label="Event" free value="cart" options={options} onPick={onPick} />, root));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

test('arrows open the list and move in it, and Enter takes', async () => {
  expect(input().getAttribute('aria-expanded')).toBe('false');
  await press('ArrowDown');
  expect(input().getAttribute('aria-expanded')).toBe('true');
  expect(active()).toBe('cart');
  await press('ArrowDown');
  await press('ArrowDown');
  expect(active()).toBe('checkout');
  await press('Enter');
  expect(onPick.mock.calls).toEqual([['checkout']]);
  expect(input().getAttribute('aria-expanded')).toBe('false');
});

test('what is typed finds, and may be taken as it is', async () => {
  await type('check');
  expect(offered()).toEqual(['checkout', 'Use “check”']);
  await press('ArrowDown');
  await press('Enter');
  expect(onPick.mock.calls).toEqual([['check']]);
});

test('Escape gives up, keeps what was chosen, and closes nothing else', async () => {
  const around = vi.fn();
  root.addEventListener('keydown', around);
  await type('ch');
  const event = await press('Escape');
  expect(around).not.toHaveBeenCalled();
  expect(event.defaultPrevented).toBe(true);
  expect(input().value).toBe('cart');
  expect(onPick).not.toHaveBeenCalled();
  expect((await press('Escape')).defaultPrevented).toBe(false);
});

test('the same choice again changes nothing', async () => {
  await press('ArrowDown');
  await press('Enter');
  expect(onPick).not.toHaveBeenCalled();
});
