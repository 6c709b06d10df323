import { api } from '../api/client';
import type { TaskCounts } from '../api/types';
import { midnight } from '../core/due';
import type { Store } from '../core/store';
import { may } from './session.svelte';

/** How many of one's tasks are overdue and due today: the number beside the tasks. */
let counts = $state.raw<TaskCounts>({ overdue: 0, today: 0 });
let asking: ReturnType<typeof setTimeout> | undefined;
let next: ReturnType<typeof setTimeout> | undefined;

export const tasksDue = (): TaskCounts => counts;

/** What is due today becomes overdue, and what is due tomorrow is due today at midnight. */
function later(): void {
  clearTimeout(next);
  const day = midnight(new Date()).getTime() - Date.now() + 500;
  next = setTimeout(() => countTasks(0), counts.today + counts.overdue > 0 ? Math.min(day, 60_000) : day);
}

/** At most once a second, however many events arrive; the last change is always counted. */
export function countTasks(delay = 1_000): void {
  if (!may('task')) return;
  asking ??= setTimeout(() => {
    asking = undefined;
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    api
      .get<TaskCounts>('/tasks/counts', { time_zone })
      .then((found) => (counts = found))
      // The next event asks again.
      .catch(() => {})
      .finally(later);
  }, delay);
}

/** Counts now and whenever tasks change; answers how to stop. */
export function watchTasks(store: Store): () => void {
  countTasks(0);
  const off = store.event.subscribe((e) => {
    if (e.type.startsWith('task.')) countTasks();
  });
  return () => {
    off();
    clearTimeout(asking);
    clearTimeout(next);
    asking = undefined;
    counts = { overdue: 0, today: 0 };
  };
}
