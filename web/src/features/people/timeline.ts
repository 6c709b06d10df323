import type { LogEvent, TimelineKind } from '../../api/types';
import type { IconName } from '../../ui/icons';

/** What the buttons above a timeline show; a task stands where it was made and where it was done. */
export const FILTERS = [
  'message',
  'call',
  'form',
  'note',
  'task',
  'change',
  'lead',
  'deal',
  'merge',
  'system',
] as const;
export type Filter = (typeof FILTERS)[number];

/** The kinds a button asks for. What Switchboard notes by itself is asked for by name. */
export function kindsOf(filter: Filter | ''): string {
  if (filter === '')
    return FILTERS.filter((f) => f !== 'system')
      .map(kindsOf)
      .join(',');
  return filter === 'task' ? 'task,task_done' : filter;
}

/** The sign of an entry; messages have that of their channel. */
export const SIGNS: Partial<Record<TimelineKind, IconName>> = {
  note: 'note',
  call: 'phone',
  form: 'form',
  change: 'edit',
  lead: 'lead',
  deal: 'wall',
  task: 'clock',
  task_done: 'check',
  merge: 'merge',
  system: 'settings',
};

const PATHS: Record<string, string> = { cnt_: '/contacts', cmp_: '/companies', led_: '/leads', dea_: '/deals' };

/** Where an object is shown, by its id. */
export function pathOfId(id: string): string {
  return `${PATHS[id.slice(0, 4)] ?? '/contacts'}/${id}`;
}

/** Whether something has happened with a contact that their timeline shows. */
export function ofContact(e: LogEvent, id: string): boolean {
  switch (e.type) {
    case 'conversation.updated':
      return e.data.contact.id === id;
    case 'lead.created':
    case 'lead.updated':
    case 'deal.created':
    case 'deal.updated':
      return e.data.contact_id === id;
    case 'call.updated':
      return e.data.contact_id === id;
    case 'task.updated':
      // About what of theirs it is, is the server's to say.
      return e.data.on !== null && e.data.on !== undefined;
    default:
      return false;
  }
}
