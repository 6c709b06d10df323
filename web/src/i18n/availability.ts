import type { Outlook, User } from '../api/types';
import { soon, time } from './format.svelte';
import { t, tOr } from './i18n.svelte';

type Seen = Pick<
  User,
  'availability' | 'availability_said' | 'availability_why' | 'availability_reason' | 'availability_changes_at'
>;

/** A reason for a pause: in the words of the language where it is one of the known ones. */
export function reasonText(reason: string): string {
  return tOr(`pause-reason-${reason}`, reason);
}

/** "Paused", or by schedule "Break", "Absent". */
export function availabilityText(user: Seen): string {
  const why = user.availability_why;
  if (why === 'break' || why === 'absence') return t(`availability-${why}`);
  return t(`availability-${user.availability}`);
}

/** What there is to say beside it: the reason, or until when. */
export function availabilityNote(user: Seen): string {
  const until = user.availability_changes_at;
  switch (user.availability_why) {
    case 'overtime':
      return t('availability-overtime');
    case 'off_shift':
    case 'break':
    case 'absence':
      return until ? t('availability-until', { at: soon(until) }) : '';
    default:
      return user.availability_reason ? reasonText(user.availability_reason) : '';
  }
}

/** Both in one line. */
export function availabilityLine(user: Seen): string {
  return [availabilityText(user), availabilityNote(user)].filter(Boolean).join(' · ');
}

/** What a schedule says now. */
export function dutyText(outlook: Outlook, byHand: boolean): string {
  if (byHand && outlook.duty === 'working') return t('schedule-by-hand-now');
  if (!outlook.until) return t(`schedule-now-${outlook.duty}`);
  return t(`schedule-until-${outlook.duty}`, { at: soon(outlook.until) });
}

/** When the next shift begins and ends; nothing, where there is none. */
export function nextShiftText(shift: Outlook['next_shift']): string {
  if (!shift) return '';
  if (!shift.to) return t('schedule-next-shift-endless', { at: soon(shift.from) });
  return t('schedule-next-shift', { at: soon(shift.from), time: time(shift.to) });
}
