import { locale, region } from './i18n.svelte';

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = region() + JSON.stringify(options);
  let f = cache.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(region(), options);
    cache.set(key, f);
  }
  return f;
}

/** A clock that ticks every half minute, for "3m" and the like. */
let now = $state(Date.now());
setInterval(() => (now = Date.now()), 30_000);

export function clock(): number {
  return now;
}

export function time(iso: string): string {
  return formatter({ hour: 'numeric', minute: '2-digit' }).format(new Date(iso));
}

export function dateTime(iso: string | null | undefined): string {
  if (!iso) return '—';
  return formatter({ dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
}

/** Whether two times lie in the same year of the calendar that the language counts by. */
function sameYear(a: number, b: number): boolean {
  const year = formatter({ year: 'numeric' });
  return year.format(a) === year.format(b);
}

/** An amount of a unit as short as the language has words for it: Persian has none shorter than the short ones. */
export function inUnit(value: number, unit: 'second' | 'minute' | 'hour' | 'day'): string {
  const unitDisplay = locale() === 'fa' ? 'short' : 'narrow';
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay }).format(value);
}

const dayStart = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);

/** Today, yesterday, or the date. */
export function day(iso: string): string {
  const at = dayStart(new Date(iso).getTime());
  const days = Math.round((dayStart(now) - at) / 86_400_000);
  if (days === 0 || days === 1) {
    const text = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-days, 'day');
    return text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
  }
  return formatter({ day: 'numeric', month: 'long', ...(sameYear(at, now) ? {} : { year: 'numeric' }) }).format(at);
}

/** A day of a calendar (`YYYY-MM-DD`), short. */
export function calendarDay(date: string): string {
  return formatter({ day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
}

export function sameDay(a: string, b: string): boolean {
  return dayStart(new Date(a).getTime()) === dayStart(new Date(b).getTime());
}

/** As short as a list row needs: 14:02 today, then a date. */
export function brief(iso: string): string {
  const at = new Date(iso).getTime();
  if (dayStart(at) === dayStart(now)) return time(iso);
  if (now - at < 6 * 86_400_000) return formatter({ weekday: 'short' }).format(at);
  return formatter({ day: 'numeric', month: 'short', ...(sameYear(at, now) ? {} : { year: '2-digit' }) }).format(at);
}

/**
 * From when to when, as a calendar says it: a time in UTC is shown as the reader's own, a time of another zone and a
 * day stay what they are.
 */
export function calendarSpan(starts: string | null | undefined, ends: string | null | undefined): string {
  if (!starts) return '';
  const isDay = starts.length === 10;
  const isOwn = starts.endsWith('Z');
  const at = (value: string) => new Date(value.length === 10 || value.endsWith('Z') ? value : `${value}Z`);
  const from = at(starts);
  if (Number.isNaN(from.getTime())) return starts;
  const format = formatter({
    dateStyle: 'medium',
    ...(isDay ? {} : { timeStyle: 'short' }),
    ...(isOwn ? {} : { timeZone: 'UTC' }),
  });
  // The day a whole-day event ends on is the first one after it (RFC 5545 §3.6.1).
  const to = ends ? new Date(at(ends).getTime() - (isDay ? 86_400_000 : 0)) : from;
  return to > from ? format.formatRange(from, to) : format.format(from);
}

/** A time soon to come: 14:02 today, then with the day of the week, beyond a week with the date. */
export function soon(at: string | Date): string {
  const ms = new Date(at).getTime();
  const clock = { hour: 'numeric', minute: '2-digit' } as const;
  if (dayStart(ms) === dayStart(now)) return formatter(clock).format(ms);
  if (ms - now < 7 * 86_400_000) return formatter({ weekday: 'short', ...clock }).format(ms);
  return formatter({ day: 'numeric', month: 'short', ...clock }).format(ms);
}

/** How long something waits: 40s, 12m, 3h, 2d, in the words of the language. */
export function waiting(iso: string): string {
  return span(Math.max(0, Math.round((now - new Date(iso).getTime()) / 1000)));
}

/** So many seconds in one unit: 12m, 3h, 2d. */
export function span(seconds: number): string {
  if (seconds < 60) return inUnit(0, 'minute');
  if (seconds < 3600) return inUnit(Math.floor(seconds / 60), 'minute');
  if (seconds < 86_400) return inUnit(Math.floor(seconds / 3600), 'hour');
  return inUnit(Math.floor(seconds / 86_400), 'day');
}

/** The same where a minute is long: 40s, 12m, 3h. */
export function brisk(seconds: number): string {
  return seconds < 60 ? inUnit(Math.floor(seconds), 'second') : span(seconds);
}

export function bytes(size: number): string {
  const [value, unit] =
    size < 1000 ? [size, 'byte'] : size < 1_000_000 ? [size / 1000, 'kilobyte'] : [size / 1_000_000, 'megabyte'];
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit,
    unitDisplay: size < 1000 ? 'long' : 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A moment as clocks show it in a time zone: with the day of the week, beyond a week with the date. */
export function inZone(iso: string, timeZone: string): string {
  const ms = new Date(iso).getTime();
  const clock = { hour: 'numeric', minute: '2-digit', timeZone } as const;
  if (ms - now < 6 * 86_400_000) return formatter({ weekday: 'long', ...clock }).format(ms);
  const year = ms - now > 180 * 86_400_000 ? ({ year: 'numeric' } as const) : {};
  return formatter({ weekday: 'short', day: 'numeric', month: 'long', ...year, ...clock }).format(ms);
}

/** The names of the days of the week, from Monday. */
export function weekdays(width: 'short' | 'long'): string[] {
  // 2024-01-01 was a Monday.
  return [1, 2, 3, 4, 5, 6, 7].map((day) =>
    formatter({ weekday: width, timeZone: 'UTC' }).format(Date.UTC(2024, 0, day)),
  );
}

/** A time that runs: 0:07, 12:40, then hours and minutes: 3:05 h. */
export function running(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = new Intl.NumberFormat(locale(), { minimumIntegerDigits: 2 });
  if (seconds < 3600) return `${number(Math.floor(seconds / 60))}:${two.format(seconds % 60)}`;
  if (seconds < 86_400)
    return `${inUnit(Math.floor(seconds / 3600), 'hour')} ${inUnit(Math.floor((seconds % 3600) / 60), 'minute')}`;
  return `${inUnit(Math.floor(seconds / 86_400), 'day')} ${inUnit(Math.floor((seconds % 86_400) / 3600), 'hour')}`;
}
