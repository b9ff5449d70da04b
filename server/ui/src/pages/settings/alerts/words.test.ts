import { expect, test } from 'vitest';
import { which } from './words';

test('what an alert tells of is said in a sentence', () => {
  expect(which({ on: {} })).toBe('of all problems');
  expect(which({ on: { kinds: ['monitor_down', 'new_issue'] } })).toBe(
    'when a monitor is down, or a new error appears',
  );
  expect(which({ on: { kinds: ['failing_endpoint'], subject: 'GET /cart' } })).toBe(
    'when an endpoint fails (only GET /cart)',
  );
  expect(which({ on: { threshold: { saved_query: 7, below: 0.5 } } })).toBe(
    'when the answer of saved question 7 is below 0.5',
  );
});
