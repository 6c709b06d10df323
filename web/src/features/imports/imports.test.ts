import { describe, expect, it } from 'vitest';
import { customName, groups, keyOf, share, withField } from './imports';

describe('imports', () => {
  it('offer the fields of the lead only where rows become leads, and custom ones that are mapped', () => {
    const mapped = ['lead.fields.budget', 'contact.email'];
    const names = (kind: string) => groups(kind, mapped).map((g) => g.group);
    expect(names('leads')).toEqual(['contact', 'company', 'lead']);
    expect(names('contacts')).toEqual(['contact', 'company']);
    expect(groups('leads', mapped)[2]?.fields.at(-1)).toBe('lead.fields.budget');
    expect(customName('lead.fields.budget')).toBe('budget');
    expect(customName('lead.title')).toBeNull();
  });

  it('offer the fields of the deal where rows become deals, and those that admins defined', () => {
    const defined = [{ object: 'deal', key: 'rooms', label: 'Rooms' }];
    const all = groups('deals', ['deal.fields.rooms', 'deal.fields.floor'], defined);
    expect(all.map((g) => g.group)).toEqual(['contact', 'company', 'deal']);
    expect(all[2]?.fields.slice(-2)).toEqual(['deal.fields.rooms', 'deal.fields.floor']);
    expect(groups('contacts', [], defined).map((g) => g.group)).toEqual(['contact', 'company']);
  });

  it('change the field of one column and leave the others', () => {
    const mapping = [
      { column: 'A', field: 'contact.name' },
      { column: 'B', field: 'contact.phone' },
    ];
    expect(withField(mapping, 'A', '')).toEqual([{ column: 'B', field: 'contact.phone' }]);
    expect(withField(mapping, 'C', 'contact.phone')).toHaveLength(3);
    expect(keyOf(' Size. in  cm ')).toBe('Size in cm');
  });

  it('say how far they are, forwards and backwards', () => {
    const counts = {
      rows: 50,
      created: 0,
      updated: 0,
      skipped: 0,
      failed: 0,
      contacts: 40,
      leads: 40,
      companies: 0,
      deals: 0,
      removed: 20,
      kept: 20,
    };
    expect(share({ counts, total: 100, state: 'running' })).toBe(0.5);
    expect(share({ counts, total: 100, state: 'undoing' })).toBe(0.5);
    expect(share({ counts, total: 0, state: 'running' })).toBe(0);
  });
});
