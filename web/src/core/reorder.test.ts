import { describe, expect, it } from 'vitest';
import { moved, placeOf } from './reorder';

describe('a list', () => {
  it('moves an item to its place and no further than its ends', () => {
    expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'c', 'a', 'd']);
    expect(moved(['a', 'b', 'c', 'd'], 3, 0)).toEqual(['d', 'a', 'b', 'c']);
    expect(moved(['a', 'b'], 0, 9)).toEqual(['b', 'a']);
    expect(moved(['a', 'b'], 5, 0)).toEqual(['a', 'b']);
  });
  it('gives way where the middle of the dragged row is', () => {
    const rows = [0, 40, 80, 120].map((top) => ({ top, height: 40 }));
    expect([placeOf(rows, 1, 0), placeOf(rows, 1, 39), placeOf(rows, 1, 41), placeOf(rows, 1, 200)]).toEqual([
      1, 1, 2, 3,
    ]);
    expect([placeOf(rows, 2, -41), placeOf(rows, 2, -500), placeOf(rows, 9, 10)]).toEqual([1, 0, 9]);
  });
});
