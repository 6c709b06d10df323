import { describe, expect, it } from 'vitest';
import { fromField, pathOf, toField } from './path';

describe('tasks', () => {
  it('lead to what they are about', () => {
    expect(pathOf({ type: 'deal', id: 'dea_1' })).toBe('/deals/dea_1');
    expect(pathOf({ type: 'conversation', id: 'cnv_1' })).toBe('/inbox/all/cnv_1');
    expect(pathOf(null)).toBe('/tasks');
  });

  it('keep their time through the field of the browser', () => {
    for (const iso of ['2026-11-23T08:30:00.000Z', '2026-03-29T01:30:00.000Z'])
      expect(fromField(toField(iso))).toBe(iso);
    expect(fromField('')).toBeNull();
    expect(toField(null)).toBe('');
  });
});
