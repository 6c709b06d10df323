import type { TaskOn } from '../../api/types';

/** Where what a task is about is shown; tasks about nothing are shown among the tasks. */
export function pathOf(on: TaskOn | null | undefined): string {
  switch (on?.type) {
    case 'contact':
      return `/contacts/${on.id}`;
    case 'lead':
      return `/leads/${on.id}`;
    case 'deal':
      return `/deals/${on.id}`;
    case 'company':
      return `/companies/${on.id}`;
    case 'conversation':
      return `/inbox/all/${on.id}`;
    case undefined:
      return '/tasks';
  }
}

/** How long before it is due one is reminded, in minutes; `none`: not at all; `own`: at a time set by itself. */
export const REMINDERS = ['0', '10', '60', '1440', 'none'] as const;
export type Reminder = (typeof REMINDERS)[number] | 'own';

/** What stands in a task as a choice. */
export function reminderOf(due: string | null | undefined, remind: string | null | undefined): Reminder {
  if (!remind) return due ? 'none' : '0';
  const before = due ? (new Date(due).getTime() - new Date(remind).getTime()) / 60_000 : NaN;
  return REMINDERS.find((one) => Number(one) === before) ?? 'own';
}

/** When a choice reminds; undefined where the server keeps what it has. */
export function remindAt(due: string | null, choice: Reminder): string | null | undefined {
  if (choice === 'own') return undefined;
  if (choice === 'none' || !due) return null;
  return new Date(new Date(due).getTime() - Number(choice) * 60_000).toISOString();
}

/** A time as the browser's field for it wants: of the reader's clock, to the minute. */
export function toField(iso: string | null | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** And back. */
export function fromField(value: string): string | null {
  const at = value ? new Date(value) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}
