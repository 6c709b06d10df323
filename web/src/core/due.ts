/** By which time something is to be done, as one key says it. */

const MORNING = 10;
const EVENING = 18;

export type DueChoice = 'hour' | 'evening' | 'tomorrow' | 'day-after' | 'week' | 'someday';

/** In the order of their keys: 1 is the first. */
export const DUE_CHOICES: readonly DueChoice[] = ['hour', 'evening', 'tomorrow', 'day-after', 'week', 'someday'];

/** By calendar days, so that a change of the clock in between moves nothing. */
function at(now: Date, days: number, hour: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
}

/** The time a choice means; null for none. An hour from now is rounded up to five minutes, as one would say it. */
export function dueTime(choice: DueChoice, now: Date): Date | null {
  switch (choice) {
    case 'hour':
      return new Date(Math.ceil((now.getTime() + 3_600_000) / 300_000) * 300_000);
    case 'evening':
      return at(now, 0, EVENING);
    case 'tomorrow':
      return at(now, 1, MORNING);
    case 'day-after':
      return at(now, 2, MORNING);
    case 'week':
      return at(now, (8 - now.getDay()) % 7 || 7, MORNING);
    case 'someday':
      return null;
  }
}

/** Whether it can still be chosen. */
export function isAhead(choice: DueChoice, now: Date): boolean {
  const time = dueTime(choice, now);
  return time === null || time > now;
}

/** When the next day begins on this clock. */
export function midnight(now: Date): Date {
  return at(now, 1, 0);
}
