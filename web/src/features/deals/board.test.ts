import { describe, expect, it } from 'vitest';
import type { Stage } from '../../api/types';
import { columnAt, pull, stageByKey } from './board';
import { money, typed } from './money';

const boxes = [
  { left: 0, right: 100 },
  { left: 110, right: 210 },
  { left: 220, right: 320 },
];
const stages = ['a', 'b', 'c'].map((id) => ({ id, name: id, kind: 'open', color: null }) as Stage);

describe('the board', () => {
  it('knows the column under a point, and the nearest beside them', () => {
    expect([0, 99, 150, 319].map((x) => columnAt(boxes, x))).toEqual([0, 0, 1, 2]);
    expect([-50, 103, 108, 900].map((x) => columnAt(boxes, x))).toEqual([0, 0, 1, 2]);
    expect(columnAt([], 5)).toBe(-1);
  });

  it('scrolls by itself near its edges only, and faster the nearer', () => {
    const board = { left: 0, right: 500 };
    expect(pull(board, 250)).toBe(0);
    expect(pull(board, 40)).toBeLessThan(0);
    expect(pull(board, 5)).toBeLessThan(pull(board, 40));
    expect(pull(board, 495)).toBeGreaterThan(pull(board, 460));
  });

  it('moves a card by keys, in the direction of the script, and not beyond the ends', () => {
    expect(stageByKey(stages, 'a', 'ArrowRight')?.id).toBe('b');
    expect(stageByKey(stages, 'b', 'ArrowRight', true)?.id).toBe('a');
    expect(stageByKey(stages, 'a', 'End')?.id).toBe('c');
    for (const [from, key] of [
      ['a', 'ArrowLeft'],
      ['c', 'ArrowRight'],
      ['a', 'Home'],
      ['b', 'x'],
      ['gone', 'ArrowLeft'],
    ])
      expect(stageByKey(stages, from ?? '', key ?? '')).toBeUndefined();
  });
});

describe('money', () => {
  it('is written without what is no use, and exactly', () => {
    const plain = (text: string) => text.replace(/[\s\u00a0]/g, ' ');
    expect(plain(money('1500.00', 'USD'))).toBe('$1,500');
    expect(plain(money('0.10', 'USD'))).toBe('$0.10');
    expect(plain(money('99999999999999.99', 'EUR'))).toBe('€99,999,999,999,999.99');
    expect(money(null, 'USD')).toBe('');
  });

  it('is read as people type it', () => {
    expect(typed(' 1 500,50 ')).toBe('1500.50');
    expect(typed('')).toBeNull();
  });
});
