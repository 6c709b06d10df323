const SOON_MS = 2 * 60_000;
const LATE_MS = 10 * 60_000;

/** How a waiting time looks: calm, `soon` too long, or `late`. */
export function haste(since: string | null | undefined, now: number): '' | 'soon' | 'late' {
  if (!since) return '';
  const waited = now - Date.parse(since);
  return waited >= LATE_MS ? 'late' : waited >= SOON_MS ? 'soon' : '';
}
