import { describe, expect, it } from 'vitest';
import type { Template } from '../api/types';
import { matching, slash } from './slash';

const of = (name: string, extra: Partial<Template> = {}): Template => ({
  id: name,
  scope: 'shared',
  line_id: null,
  name,
  shortcut: null,
  body: '',
  version: 1,
  created_at: '',
  updated_at: '',
  ...extra,
});

describe('templates by a stroke', () => {
  it('a stroke counts at the beginning and after a space, not in an address or a fraction', () => {
    expect(slash('/tha', 4)).toEqual({ from: 0, query: 'tha' });
    expect(slash('Hello\n/', 7)).toEqual({ from: 6, query: '' });
    expect(slash('Привет /спа', 11)).toEqual({ from: 7, query: 'спа' });
    expect(slash('https://x', 8)).toBeNull();
    expect(slash('1/2', 3)).toBeNull();
    expect(slash('/tha nks', 8)).toBeNull();
  });

  it('a shortcut comes before a name, and a name before the words; other lines are left out', () => {
    const items = [
      of('Saying thanks', { body: 'x' }),
      of('Goodbye', { body: 'Thanks and goodbye' }),
      of('Zebra', { shortcut: 'thx' }),
      of('Thanks', { scope: 'line', line_id: 'b' }),
      of('Thank you', { scope: 'line', line_id: 'a' }),
    ];
    expect(matching(items, 'a', 'th').map((x) => x.name)).toEqual(['Zebra', 'Thank you', 'Saying thanks', 'Goodbye']);
    expect(matching(items, 'a', '').length).toBe(4);
    expect(matching(items, 'a', 'nothing')).toEqual([]);
  });
});
