import { describe, expect, it } from 'vitest';
import { choices, column, given, type Grid } from './rights';

const grid: Grid = { deal: { view: 'team', edit: 'own', delete: 'none' }, report: { view: 'none', export: 'none' } };

describe('the grid of a role', () => {
  it('offers nothing that goes further than the sight', () => {
    expect(choices(grid, 'deal', 'edit')).toEqual(['none', 'own', 'lines', 'team']);
    expect(choices(grid, 'report', 'export')).toEqual(['none']);
    expect(choices(grid, 'deal', 'view')).toHaveLength(5);
  });

  it('takes the other actions along when the sight shrinks, and nothing when it grows', () => {
    const wide = given(grid, 'deal', 'edit', 'team');
    expect(given(wide, 'deal', 'view', 'own').deal).toEqual({ view: 'own', edit: 'own', delete: 'none' });
    expect(given(wide, 'deal', 'view', 'all').deal).toEqual({ view: 'all', edit: 'team', delete: 'none' });
    expect(grid.deal?.edit).toBe('own');
  });

  it('gives a column as far as each object is seen, and makes up no action', () => {
    const all = column(grid, 'delete', 'all');
    expect(all.deal?.delete).toBe('team');
    expect(all.report).toEqual({ view: 'none', export: 'none' });
  });
});
