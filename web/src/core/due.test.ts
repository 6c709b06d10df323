import { describe, expect, it } from 'vitest';
import { DUE_CHOICES, dueTime, isAhead, midnight } from './due';

const local = (text: string) => new Date(text);

describe('by when', () => {
  it('tomorrow is ten in the morning of the next day', () => {
    expect(dueTime('tomorrow', local('2026-11-23T23:59:00'))).toEqual(local('2026-11-24T10:00:00'));
    expect(dueTime('day-after', local('2026-12-31T08:00:00'))).toEqual(local('2027-01-02T10:00:00'));
  });
  it('an hour is rounded up to five minutes', () => {
    expect(dueTime('hour', local('2026-11-23T12:01:00'))).toEqual(local('2026-11-23T13:05:00'));
    expect(dueTime('hour', local('2026-11-23T12:00:00'))).toEqual(local('2026-11-23T13:00:00'));
  });
  it('next week is its Monday, also on a Monday and on a Sunday', () => {
    expect(dueTime('week', local('2026-11-23T08:00:00'))).toEqual(local('2026-11-30T10:00:00'));
    expect(dueTime('week', local('2026-11-29T08:00:00'))).toEqual(local('2026-11-30T10:00:00'));
  });
  it('this evening can be chosen until it is there, the rest always', () => {
    expect(isAhead('evening', local('2026-11-23T17:59:00'))).toBe(true);
    const late = DUE_CHOICES.filter((choice) => !isAhead(choice, local('2026-11-23T18:00:00')));
    expect(late).toEqual(['evening']);
  });
  it('a day ends at midnight', () => {
    expect(midnight(local('2026-11-23T23:59:59'))).toEqual(local('2026-11-24T00:00:00'));
  });
});
