import { describe, expect, it } from 'vitest';
import { momentOf, wallTime } from './zone';

describe('wall-clock times', () => {
  it('are those of the zone, whatever the browser has', () => {
    expect(momentOf('2026-11-24T10:00', 'Asia/Tashkent')).toBe('2026-11-24T05:00:00.000Z');
    expect(wallTime('2026-11-24T05:00:00Z', 'Asia/Tashkent')).toBe('2026-11-24T10:00');
    expect(wallTime('2026-11-23T19:00:00Z', 'Asia/Tashkent')).toBe('2026-11-24T00:00');
  });

  it('come back as they were, also on the days around a change of the clocks', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'])
      for (const day of ['2026-03-28', '2026-03-30', '2026-10-24', '2026-10-26', '2026-07-01'])
        for (const hour of ['00:00', '09:30', '23:45'])
          expect(wallTime(momentOf(`${day}T${hour}`, zone), zone)).toBe(`${day}T${hour}`);
  });

  it('that exist twice are the first of the two, and those jumped over are as much later', () => {
    expect(momentOf('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(momentOf('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
  });
});
