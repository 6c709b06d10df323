/** Judging submissions: what a key means, where the mark stands, and what can be taken back. Pure. */
import type { Submission } from '../../api/types';

export type Verdict = 'approve' | 'reject' | 'spam' | 'hold';
export type TrayKey = 'next' | 'previous' | 'choose' | 'open' | 'undo' | Exclude<Verdict, 'hold'>;

const KEYS: Record<string, TrayKey> = {
  KeyJ: 'next',
  ArrowDown: 'next',
  KeyK: 'previous',
  ArrowUp: 'previous',
  KeyX: 'choose',
  Enter: 'open',
  KeyA: 'approve',
  KeyR: 'reject',
  KeyS: 'spam',
  KeyU: 'undo',
};

/** By the place of the key, so that it works with every layout; keys with modifiers are others’. */
export function trayKey(
  event: Pick<KeyboardEvent, 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
): TrayKey | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  return KEYS[event.code] ?? null;
}

/** Those of the chosen that a verdict would change. */
export function judgeable(items: readonly Submission[], ids: ReadonlySet<string>, verdict: Verdict): string[] {
  return items
    .filter((s) => ids.has(s.id) && s.state !== 'accepted' && !(verdict === 'reject' && s.state === 'spam'))
    .map((s) => s.id);
}

/** Where the mark goes when the rows it stood on are gone: to the next that stays, else to the last before. */
export function after(items: readonly Submission[], at: string | null, gone: ReadonlySet<string>): string | null {
  const from = items.findIndex((s) => s.id === at);
  if (from < 0) return items.find((s) => !gone.has(s.id))?.id ?? null;
  const later = items.slice(from).find((s) => !gone.has(s.id));
  const earlier = items.slice(0, from).findLast((s) => !gone.has(s.id));
  return (later ?? earlier)?.id ?? null;
}
