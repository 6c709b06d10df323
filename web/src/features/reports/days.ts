/** Days of a report: those without leads are drawn too. Pure. */
export interface Day {
  date: string;
  leads: number;
}

/** Every day from `from` to `to`, both included (`YYYY-MM-DD`); at most two years. */
export function everyDay(from: string, to: string, found: readonly Day[]): Day[] {
  const known = new Map(found.map((d) => [d.date, d.leads]));
  const all: Day[] = [];
  const end = Date.parse(`${to}T00:00:00Z`);
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= end && all.length < 740; at += 86_400_000) {
    const date = new Date(at).toISOString().slice(0, 10);
    all.push({ date, leads: known.get(date) ?? 0 });
  }
  return all;
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
