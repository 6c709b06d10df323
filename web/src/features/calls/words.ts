import type { Call, CallEntry } from '../../api/types';
import { t } from '../../i18n/i18n.svelte';

/** What became of a call, in a word or two. */
export function outcome(call: Pick<Call | CallEntry, 'direction' | 'state' | 'disposition'>): string {
  if (call.state === 'ringing') return t(call.direction === 'outbound' ? 'call-calling' : 'call-ringing');
  if (call.state === 'answered') return t('call-talking');
  const way = call.direction === 'outbound' ? 'out' : call.direction === 'internal' ? 'internal' : 'in';
  const known = ['answered', 'missed', 'voicemail', 'busy', 'failed', 'canceled'];
  const became = known.includes(call.disposition ?? '') ? (call.disposition ?? '') : 'missed';
  if (became === 'answered') return t(`call-${way}-answered`);
  if (became === 'missed' && way !== 'in') return t('call-no-answer');
  return t(`call-${became}`);
}

/** Minutes and seconds. */
export function length(secs: number | null | undefined): string {
  if (secs === null || secs === undefined) return '';
  const hours = Math.floor(secs / 3_600);
  const rest = `${Math.floor((secs % 3_600) / 60)}:${String(secs % 60).padStart(2, '0')}`;
  return hours ? `${hours}:${rest.padStart(5, '0')}` : rest;
}

/** Like a number of the public network, as `tel:` takes it. */
export function isNumber(text: string | null | undefined): text is string {
  return /^\+\d{7,15}$/.test(text ?? '');
}
