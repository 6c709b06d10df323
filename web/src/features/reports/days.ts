/** Days of a report: those on which nothing was are drawn too. Pure. */
export interface Day {
  date: string;
  leads: number;
}

/** The dates from `from` to `to`, both included (`YYYY-MM-DD`); at most two years. */
function dates(from: string, to: string): string[] {
  const all: string[] = [];
  const end = Date.parse(`${to}T00:00:00Z`);
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= end && all.length < 740; at += 86_400_000)
    all.push(new Date(at).toISOString().slice(0, 10));
  return all;
}

/** Every day of the time with what is known of it. */
export function daysOf<T extends { date: string }>(
  from: string,
  to: string,
  found: readonly T[],
): { date: string; day?: T }[] {
  const known = new Map(found.map((d) => [d.date, d]));
  return dates(from, to).map((date) => ({ date, day: known.get(date) }));
}

/** Every day with its count of leads. */
export function everyDay(from: string, to: string, found: readonly Day[]): Day[] {
  return daysOf(from, to, found).map(({ date, day }) => ({ date, leads: day?.leads ?? 0 }));
}

/** Days drawn as one bar when there are too many to tell apart. */
export function bars(days: readonly Day[], most: number): { from: string; to: string; leads: number }[] {
  const each = Math.max(1, Math.ceil(days.length / most));
  const made = [];
  for (let i = 0; i < days.length; i += each) {
    const part = days.slice(i, i + each);
    const first = part[0];
    if (first)
      made.push({
        from: first.date,
        to: part[part.length - 1]?.date ?? first.date,
        leads: part.reduce((sum, d) => sum + d.leads, 0),
      });
  }
  return made;
}

/** The moment a day of a zone begins, as UTC: the browser's own zone alone is asked for. */
export function startOf(day: string, plus = 0): string {
  const [y = 0, m = 1, d = 1] = day.split('-').map(Number);
  return new Date(y, m - 1, d + plus).toISOString();
}

/** A day of the browser's zone as `YYYY-MM-DD`. */
export function dayOf(moment: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/** The first of the last so many days, and today. */
export function lastDays(count: number): { from: string; to: string } {
  const now = Date.now();
  return { from: dayOf(new Date(now - (count - 1) * 86_400_000)), to: dayOf(new Date(now)) };
}

/** Where a report lies as a file. */
export function fileOf(path: string, query: Record<string, string | undefined>): string {
  return `/api/v1${path}?${new URLSearchParams(Object.entries(query).filter((e): e is [string, string] => Boolean(e[1])))}`;
}
