/** Where a Telegram deep link says that people come from. */
export interface Origin {
  source: string;
  campaign: string;
  /** The line's key; empty is the channel's own. */
  line: string;
}

/** The longest payload Telegram takes. */
const MAX = 64;
const BETWEEN = '__';

/** The payload that says all of it (`SOURCE__CAMPAIGN__LINE`), as the server reads it; null when none can. */
export function payload(origin: Origin): string | null {
  const parts = [origin.source, origin.campaign, origin.line].map((p) => p.trim());
  const plain = (p: string) =>
    /^[A-Za-z0-9_-]*$/.test(p) && !p.includes(BETWEEN) && !p.startsWith('_') && !p.endsWith('_');
  // Two parts tell it from any other word; a third one only when there is a line.
  const whole = (parts[2] ? parts : parts.slice(0, 2)).join(BETWEEN);
  return parts.every(plain) && whole.length <= MAX ? whole : null;
}

/** A short word for what a payload cannot say: the one it has, or a new one. */
export function shortKey(origin: Origin, known: Record<string, Partial<Origin>>, random: () => string): string {
  const same = Object.entries(known).find(
    ([, o]) =>
      (o.source ?? '') === origin.source && (o.campaign ?? '') === origin.campaign && (o.line ?? '') === origin.line,
  );
  if (same) return same[0];
  let key = random();
  while (known[key]) key = random();
  return key;
}

/** The bot's public name, out of what "test connection" found. */
export function botName(steps: { step: string; ok: boolean; detail: string }[] | undefined): string | null {
  const found = steps?.find((s) => s.step === 'telegram_bot' && s.ok);
  return found ? (/@([A-Za-z0-9_]+)/.exec(found.detail)?.[1] ?? null) : null;
}
