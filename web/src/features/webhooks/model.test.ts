import { describe, expect, it } from 'vitest';
import { covers, daysAgo, families, toggled, toggledFamily } from './model';

const ALL = ['lead.created', 'lead.updated', 'call.updated'];
const [lead] = families(ALL);

describe('a choice of events', () => {
  it('comes in families', () => {
    expect(families(ALL)).toEqual([
      { name: 'lead', words: ['lead.created', 'lead.updated'] },
      { name: 'call', words: ['call.updated'] },
    ]);
  });

  it('covers words by themselves and by stars', () => {
    expect(covers(['lead.*'], 'lead.updated')).toBe(true);
    expect(covers(['lead.*'], 'leads.updated')).toBe(false);
    expect(covers(['*'], 'call.updated')).toBe(true);
    expect(covers([], 'call.updated')).toBe(false);
  });

  it('loses one word of a star and keeps the others', () => {
    expect(toggled(['lead.*'], 'lead.created', ALL)).toEqual(['lead.updated']);
    expect(toggled(['*'], 'call.updated', ALL)).toEqual(['lead.created', 'lead.updated']);
    expect(toggled(['call.updated'], 'lead.created', ALL)).toEqual(['call.updated', 'lead.created']);
  });

  it('takes a whole family and gives it back', () => {
    if (!lead) throw new Error('no family');
    expect(toggledFamily(['lead.created', 'call.updated'], lead, ALL)).toEqual(['call.updated', 'lead.*']);
    expect(toggledFamily(['lead.*', 'call.updated'], lead, ALL)).toEqual(['call.updated']);
    expect(toggledFamily(['*'], lead, ALL)).toEqual(['call.updated']);
  });
});

it('counts days back to their beginning', () => {
  expect(daysAgo(3, new Date(2026, 10, 2, 15, 30))).toBe('2026-10-30T00:00');
});
