import { describe, expect, it } from 'vitest';
import { snoozeTimes } from './snooze';

describe('snoozing', () => {
  it('an hour is an hour from now', () => {
    const now = new Date(2026, 10, 20, 23, 30);
    expect(snoozeTimes(now).hour.getTime() - now.getTime()).toBe(3_600_000);
  });

  it('tomorrow is nine in the morning of the next day, also at the end of a month', () => {
    expect(snoozeTimes(new Date(2026, 10, 30, 0, 5)).tomorrow).toEqual(new Date(2026, 11, 1, 9));
  });

  it('next week is the Monday that comes, and on a Monday the one after', () => {
    const friday = new Date(2026, 10, 20, 16);
    const sunday = new Date(2026, 10, 22, 16);
    const monday = new Date(2026, 10, 23, 8);
    expect(snoozeTimes(friday).week).toEqual(new Date(2026, 10, 23, 9));
    expect(snoozeTimes(sunday).week).toEqual(new Date(2026, 10, 23, 9));
    expect(snoozeTimes(monday).week).toEqual(new Date(2026, 10, 30, 9));
  });
});
