import { describe, expect, it } from 'vitest';
import { haste } from './haste';

describe('a waiting time', () => {
  it('is calm for two minutes and late after ten', () => {
    const since = '2026-01-01T00:00:00Z';
    const at = (minutes: number) => haste(since, Date.parse(since) + minutes * 60_000);
    expect([at(0), at(1.9), at(2), at(9.9), at(10)]).toEqual(['', '', 'soon', 'soon', 'late']);
    expect(haste(null, 0)).toBe('');
  });
});
