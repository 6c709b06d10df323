/**
 * The hours of a week as they are drawn: intervals in minutes, snapped, merged and cut at midnight for the eye. Pure.
 *
 * An interval belongs to the day it begins on and may reach into the next one (`to` above 1440); it is shorter than a
 * day, or exactly 00:00 to 24:00. This is what the API can say; whether a line is open is the server's to judge.
 */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];
export type Weekly = Partial<Record<Day, string[][]>>;

export const STEP = 15;
export const DAY = 1440;
const WEEK = 7 * DAY;

/** `day` counts from Monday, 0; `from` is below 1440, `to` above `from`. */
export interface Span {
  day: number;
  from: number;
  to: number;
}

/** The part of an interval that lies in one day's column. */
export interface Piece {
  /** Which interval it is of. */
  span: number;
  day: number;
  from: number;
  to: number;
  /** The interval begins, ends in this piece: there its edge can be taken. */
  begins: boolean;
  ends: boolean;
}

/** Minutes after midnight of `HH:MM` up to `24:00`; null when it is no time. */
export function parseTime(text: string): number | null {
  const match = /^(\d\d):(\d\d)$/.exec(text);
  if (!match) return null;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) < 60 && minutes <= DAY ? minutes : null;
}

/** `HH:MM`; the end of the day is `24:00`, what lies beyond is a time of the next day. */
export function formatTime(minutes: number): string {
  const within = minutes > DAY ? minutes - DAY : minutes;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(within / 60))}:${two(within % 60)}`;
}

export function snap(minutes: number, step = STEP): number {
  return Math.round(minutes / step) * step;
}

/** The interval of two times as the API has them; null when it is none. */
export function spanOf(day: number, from: string, to: string): Span | null {
  const begin = parseTime(from);
  const end = parseTime(to);
  if (begin === null || end === null || begin === end || begin === DAY) return null;
  return { day, from: begin, to: end <= begin ? end + DAY : end };
}

export function toSpans(weekly: Weekly): Span[] {
  return DAYS.flatMap((name, day) =>
    (weekly[name] ?? []).flatMap(([from = '', to = '']) => spanOf(day, from, to) ?? []),
  ).sort(byBegin);
}

/** Days without an interval are left out: they are closed. */
export function toWeekly(spans: readonly Span[]): Weekly {
  const weekly: Weekly = {};
  for (const span of [...spans].sort(byBegin)) {
    const name = DAYS[span.day];
    if (name) (weekly[name] ??= []).push([formatTime(span.from), formatTime(span.to)]);
  }
  return weekly;
}

const byBegin = (a: Span, b: Span) => a.day - b.day || a.from - b.from;
const begin = (span: Span) => span.day * DAY + span.from;
const end = (span: Span) => span.day * DAY + span.to;
const between = (from: number, to: number): Span => {
  const day = Math.floor(from / DAY);
  return { day: day % 7, from: from - day * DAY, to: to - day * DAY };
};
/** Whether the API can say it as one interval. */
const sayable = (from: number, to: number) => to > from && (to - from < DAY || (to - from === DAY && from % DAY === 0));

/**
 * The same hours without overlaps: intervals that overlap, or meet within a day, become one; where one would be longer
 * than can be said, the earlier ends where the later begins. Intervals that meet at midnight stay two.
 */
export function normalize(spans: readonly Span[]): Span[] {
  const merged: { from: number; to: number }[] = [];
  const sorted = spans.filter((s) => s.to > s.from).sort(byBegin);
  for (const span of sorted) {
    const next = { from: begin(span), to: end(span) };
    const last = merged.at(-1);
    if (!last || next.from > last.to || (next.from === last.to && next.from % DAY === 0)) merged.push(next);
    else if (sayable(last.from, Math.max(last.to, next.to))) last.to = Math.max(last.to, next.to);
    else {
      const reach = Math.max(last.to, next.to);
      last.to = next.from;
      if (last.to <= last.from) merged.pop();
      merged.push({ from: next.from, to: sayable(next.from, reach) ? reach : next.to });
    }
  }
  // Sunday's night reaches into Monday.
  const first = merged[0];
  const last = merged.at(-1);
  if (first && last && first !== last && last.to > first.from + WEEK) {
    const reach = Math.max(last.to, first.to + WEEK);
    if (sayable(last.from, reach)) {
      last.to = reach;
      merged.shift();
    } else last.to = first.from + WEEK;
  }
  return merged.map((one) => between(one.from, one.to)).sort(byBegin);
}

/** Draws an interval over what is there. */
export function add(spans: readonly Span[], span: Span): Span[] {
  return normalize([...spans, clamp(span)]);
}

export function remove(spans: readonly Span[], index: number): Span[] {
  return spans.filter((_, i) => i !== index);
}

/** Moves one edge of an interval: `minute` counts from the midnight of the day on which the interval begins. */
export function resize(spans: readonly Span[], index: number, edge: 'from' | 'to', minute: number): Span[] {
  const span = spans[index];
  if (!span) return [...spans];
  const at = snap(minute);
  const moved =
    edge === 'from'
      ? { ...span, from: Math.max(0, Math.min(at, span.to - STEP, DAY - STEP)) }
      : { ...span, to: Math.max(at, span.from + STEP) };
  return normalize(spans.map((one, i) => (i === index ? clamp(moved, edge) : one)));
}

/** What can be said: shorter than a day, or the whole day. The edge that was not moved stays. */
function clamp(span: Span, moved: 'from' | 'to' = 'to'): Span {
  const from = Math.max(0, Math.min(span.from, DAY - STEP));
  const longest = from === 0 ? DAY : DAY - STEP;
  if (span.to - from <= longest) return { ...span, from };
  return moved === 'to' ? { ...span, from, to: from + longest } : { ...span, from: span.to - (DAY - STEP) };
}

/** Makes days equal to one: what begins on them goes, what begins on that day is copied. */
export function copyDay(spans: readonly Span[], from: number, to: readonly number[]): Span[] {
  const targets = to.filter((day) => day !== from);
  const kept = spans.filter((span) => !targets.includes(span.day));
  const source = spans.filter((span) => span.day === from);
  return normalize([...kept, ...targets.flatMap((day) => source.map((span) => ({ ...span, day })))]);
}

/** The intervals cut at midnight, as columns show them. */
export function pieces(spans: readonly Span[]): Piece[] {
  return spans.flatMap((span, i) => {
    const head = {
      span: i,
      day: span.day,
      from: span.from,
      to: Math.min(span.to, DAY),
      begins: true,
      ends: span.to <= DAY,
    };
    if (span.to <= DAY) return [head];
    const tail = { span: i, day: (span.day + 1) % 7, from: 0, to: span.to - DAY, begins: false, ends: true };
    return [head, tail];
  });
}

/** The interval between two points that were pressed and reached, in any order; beyond midnight only onto the next day. */
export function drawn(a: { day: number; minute: number }, b: { day: number; minute: number }): Span {
  const [first, second] = a.minute <= b.minute ? [a.minute, b.minute] : [b.minute, a.minute];
  if (b.day === (a.day + 1) % 7)
    return clamp({ day: a.day, from: snap(a.minute), to: DAY + Math.max(STEP, snap(b.minute)) });
  const from = Math.min(Math.floor(first / STEP) * STEP, DAY - STEP);
  return { day: a.day, from, to: Math.max(from + STEP, Math.min(DAY, Math.ceil(second / STEP) * STEP)) };
}
