/** Wall-clock times of a time zone, as `<input type="datetime-local">` has them: `2026-12-24T10:00`. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of `zone` show at this moment. */
export function wallTime(at: string | number, zone: string): string {
  let format = formats.get(zone);
  if (!format) {
    // The Swedish way of writing dates is the one of ISO 8601.
    format = new Intl.DateTimeFormat('sv', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  return format.format(new Date(at)).replace(' ', 'T');
}

/**
 * The moment at which the clocks of `zone` show this, as ISO 8601 in UTC. Of two, the first; a time that clocks
 * jump over is as much later as they jump.
 */
export function momentOf(wall: string, zone: string): string {
  const wanted = Date.parse(`${wall}Z`);
  const offset = (at: number) => Date.parse(`${wallTime(at, zone)}Z`) - at;
  // Offsets of the days around: on a day of change they are the two that come into question.
  const [before, after] = [offset(wanted - 86_400_000), offset(wanted + 86_400_000)];
  const fitting = [before, after].filter((shift) => offset(wanted - shift) === shift);
  return new Date(wanted - (fitting[0] ?? before)).toISOString();
}

/** Whether there is such a zone. */
export function isZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
