import { expect, test } from 'vitest';
import { Refusal } from '../../api/client';
import { isAt, mistakeOf } from './wrong';

test('a refusal that names a path is shown at its place, and only there', () => {
  const mistake = mistakeOf(new Refusal('invalid_parameter', '`series[0].math_property` is missing', '', 400));
  expect(mistake).toEqual({ path: 'series[0].math_property', said: '`series[0].math_property` is missing' });
  expect(isAt('series[0].math_property', 'series')).toBe(true);
  expect(isAt('date_from', 'date_from')).toBe(true);
  expect(isAt('series_of', 'series')).toBe(false);
  expect(mistakeOf(new Refusal('query_timeout', '`series` took too long', '', 503))).toBeNull();
  expect(mistakeOf(undefined)).toBeNull();
});
