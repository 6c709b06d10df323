import type { Task } from '../../api/types';
import { leader } from '../../app/live.svelte';
import { go } from '../../app/router.svelte';
import { me } from '../../app/session.svelte';
import { toast } from '../../app/toast.svelte';
import { play, desktop } from '../../core/notify';
import { prefs } from '../../app/prefs.svelte';
import { t, texts } from '../../i18n/i18n.svelte';
import { pathOf } from './path';

/** A reminder has come. Supervisors hear of everybody's, and are reminded of their own. */
export async function remind(task: Task): Promise<void> {
  if (task.operator_id !== me().id) return;
  await texts('deals');
  const path = pathOf(task.on);
  toast(t('task-reminder', { name: task.title }), { action: { label: t('task-open'), run: () => go(path) } });
  if (!leader.leads) return;
  if (prefs.sound) play('assigned');
  if (prefs.desktop && !document.hasFocus()) desktop(t('nav-tasks'), task.title, task.id, () => go(path));
}
