import { describe, expect, it } from 'vitest';
import type { Submission } from '../../api/types';
import { after, judgeable, trayKey } from './tray';

const row = (id: string, state: string) => ({ id, state }) as Submission;
const key = (code: string, more = {}) => ({
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

describe('keys', () => {
  it('are places on the keyboard, whatever the layout writes there', () => {
    expect(trayKey(key('KeyA'))).toBe('approve');
    expect(trayKey(key('ArrowDown'))).toBe('next');
    expect(trayKey(key('KeyA', { ctrlKey: true }))).toBeNull();
    expect(trayKey(key('KeyQ'))).toBeNull();
  });
});

describe('verdicts', () => {
  const items = [row('1', 'held'), row('2', 'accepted'), row('3', 'spam')];
  it('pass over what they would not change', () => {
    const all = new Set(['1', '2', '3']);
    expect(judgeable(items, all, 'approve')).toEqual(['1', '3']);
    expect(judgeable(items, all, 'reject')).toEqual(['1']);
    expect(judgeable(items, new Set(['2']), 'spam')).toEqual([]);
  });
  it('move the mark to the next row that stays', () => {
    expect(after(items, '1', new Set(['1']))).toBe('2');
    expect(after(items, '3', new Set(['3']))).toBe('2');
    expect(after(items, '3', new Set(['1', '2', '3']))).toBeNull();
    expect(after(items, 'gone', new Set())).toBe('1');
  });
});
