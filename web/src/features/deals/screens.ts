import type { Component } from 'svelte';
import { texts } from '../../i18n/i18n.svelte';
import QuickTask from '../tasks/QuickTask.svelte';
import TaskForm from '../tasks/TaskForm.svelte';
import TaskList from '../tasks/TaskList.svelte';
import LeadActions from './LeadActions.svelte';

export { remind } from '../tasks/remind';

/** The screens around selling, with their texts. Their names are all that the app loads at first. */
const screens: Record<string, () => Promise<{ default: Component }>> = {
  deals: () => import('./Deals.svelte'),
  tasks: () => import('../tasks/Tasks.svelte'),
  funnel: async () => (await Promise.all([import('../reports/Funnel.svelte'), texts('reports')]))[0],
  'admin/pipelines': () => import('../admin/Pipelines.svelte'),
  'admin/lines': () => import('../admin/Lines.svelte'),
};

export async function screen(name: string): Promise<{ default: Component }> {
  const [made] = await Promise.all([screens[name]?.(), texts('deals')]);
  if (!made) throw new Error(`no screen ${name}`);
  return made;
}

/** What stands below a lead on its card. */
export async function leadActions(): Promise<typeof LeadActions> {
  await texts('deals');
  return LeadActions;
}

/** Tasks on a card, and a new one in two keys. */
export async function taskParts(): Promise<{
  TaskList: typeof TaskList;
  QuickTask: typeof QuickTask;
  TaskForm: typeof TaskForm;
}> {
  await texts('deals');
  return { TaskList, QuickTask, TaskForm };
}
