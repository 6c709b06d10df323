import { describe, expect, it } from 'vitest';
import { lines, paired, ruleFor, table, tone, typed } from './model';

describe('a connection to a CRM', () => {
  it('is shown by what an admin should do about it', () => {
    expect(tone({ state: 'running', failures: 0, dead: 0 })).toBe('ok');
    expect(tone({ state: 'running', failures: 3, dead: 0 })).toBe('warn');
    expect(tone({ state: 'running', failures: 0, dead: 1 })).toBe('warn');
    expect(tone({ state: 'paused', failures: 9, dead: 9 })).toBe('off');
    expect(tone({ state: 'stopped', failures: 0, dead: 0 })).toBe('bad');
  });

  it('pairs people, and lets go of who is to be found by the address', () => {
    expect(paired({ a: '1', b: '2' }, 'a', ' 7 ')).toEqual({ a: '7', b: '2' });
    expect(paired({ a: '1', b: '2' }, 'a', '')).toEqual({ b: '2' });
  });

  it('maps values by lines that read back as they were written', () => {
    const values = { google: 'ADV', 'a b': 'x=y' };
    expect(table(lines(values))).toEqual(values);
    expect(table('no pair\n = nothing\nweb=WEB')).toEqual({ web: 'WEB' });
  });

  it('gives a field what it takes and forgets what fitted another', () => {
    expect(typed('1,5', 'number')).toBe(1.5);
    expect(typed('many', 'number')).toBe('many');
    expect(typed(' ', 'text')).toBeNull();
    expect(typed('a, b', 'choices')).toEqual(['a', 'b']);
    const field = { id: 'B', label: 'B', kind: 'number' as const, required: false, options: [] };
    const before = { to: 'A', kind: 'choice' as const, from: 'lead.title', values: { a: 'b' }, otherwise: 'c' };
    expect(ruleFor(field, 'B', before)).toEqual({
      to: 'B',
      kind: 'number',
      from: 'lead.title',
      values: {},
      otherwise: null,
    });
  });
});
