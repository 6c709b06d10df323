import { describe, expect, it } from 'vitest';
import { isNumber, length } from './words';

describe('calls in words', () => {
  it('counts minutes, and hours when there are any', () => {
    expect(length(5)).toBe('0:05');
    expect(length(125)).toBe('2:05');
    expect(length(3_725)).toBe('1:02:05');
    expect(length(null)).toBe('');
  });
  it('takes only international numbers for numbers to ring', () => {
    expect(isNumber('+998901234567')).toBe(true);
    for (const text of ['112', 'sip:bob@pbx.example', '+1', '+1;ext=2', null]) expect(isNumber(text)).toBe(false);
  });
});
