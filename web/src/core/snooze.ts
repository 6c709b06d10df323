/** When a working day begins, in hours of the person's own clock. */
const MORNING = 9;

function morning(now: Date, days: number): Date {
  // By calendar days, so that a change of the clock in between moves nothing.
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
}

/** The times a conversation can be put off to: in an hour, tomorrow morning, the morning of next Monday. */
export function snoozeTimes(now: Date): { hour: Date; tomorrow: Date; week: Date } {
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return { hour: new Date(now.getTime() + 3_600_000), tomorrow: morning(now, 1), week: morning(now, toMonday) };
}
