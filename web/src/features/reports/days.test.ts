import { expect, it } from 'vitest';
import { bars, dayOf, everyDay, startOf } from './days';

it('draws days without leads too', () => {
  expect(everyDay('2026-02-27', '2026-03-01', [{ date: '2026-02-28', leads: 4 }])).toEqual([
    { date: '2026-02-27', leads: 0 },
    { date: '2026-02-28', leads: 4 },
    { date: '2026-03-01', leads: 0 },
  ]);
});

it('joins days into bars and loses none', () => {
  const days = everyDay('2026-01-01', '2026-12-31', []).map((d) => ({ ...d, leads: 1 }));
  const made = bars(days, 60);
  expect(made.length).toBeLessThanOrEqual(60);
  expect(made.reduce((sum, b) => sum + b.leads, 0)).toBe(365);
  expect(made.at(-1)?.to).toBe('2026-12-31');
});

it('begins a day at midnight of this zone', () => {
  expect(dayOf(new Date(startOf('2026-03-29')))).toBe('2026-03-29');
  expect(dayOf(new Date(startOf('2026-03-29', 1)))).toBe('2026-03-30');
});
