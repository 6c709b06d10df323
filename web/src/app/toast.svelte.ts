import { ApiError } from '../api/client';
import { t, tOr } from '../i18n/i18n.svelte';

export interface Toast {
  id: number;
  text: string;
  tone: 'info' | 'error';
  action?: { label: string; run: () => void } | undefined;
}

let list = $state.raw<Toast[]>([]);
let serial = 0;

export function toasts(): Toast[] {
  return list;
}

export function dismiss(id: number): void {
  list = list.filter((x) => x.id !== id);
}

export function toast(text: string, options: { tone?: 'info' | 'error'; action?: Toast['action'] } = {}): void {
  const id = ++serial;
  list = [...list.slice(-3), { id, text, tone: options.tone ?? 'info', action: options.action }];
  // Long enough to read and to reach the button with the keyboard; errors stay longer.
  setTimeout(() => dismiss(id), options.action || options.tone === 'error' ? 9_000 : 4_500);
}

/** One sentence for a person, whatever went wrong. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return t('error-network');
    const first = error.errors[0];
    if (error.detail)
      return first && !error.detail.includes(first.message) ? `${error.detail} ${first.message}` : error.detail;
    if (first) return first.message;
    return tOr(`error-${error.code || error.status}`, t('error-status', { status: String(error.status) }));
  }
  return error instanceof Error ? error.message : String(error);
}

export function toastError(error: unknown): void {
  toast(explain(error), { tone: 'error' });
}
