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
