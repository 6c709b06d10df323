import type { IconName } from '../ui/icons';

export interface NavEntry {
  path: string;
  key: string;
  icon: IconName;
  /** What one must have a right to see. */
  right?: string;
}

export const VIEW_ENTRIES: (NavEntry & { view: 'mine' | 'queue' | 'all' | 'closed' })[] = [
  { view: 'mine', path: '/inbox/mine', key: 'view-mine', icon: 'inbox' },
  { view: 'queue', path: '/inbox/queue', key: 'view-queue', icon: 'queue' },
  { view: 'all', path: '/inbox/all', key: 'view-all', icon: 'all' },
  { view: 'closed', path: '/inbox/closed', key: 'view-closed', icon: 'closed' },
];

export const WORK_ENTRIES: NavEntry[] = [
  { path: '/search', key: 'nav-search', icon: 'search' },
  { path: '/contacts', key: 'nav-contacts', icon: 'contacts', right: 'contact' },
  { path: '/companies', key: 'nav-companies', icon: 'people', right: 'company' },
  { path: '/leads', key: 'nav-leads', icon: 'lead', right: 'lead' },
  { path: '/deals', key: 'nav-deals', icon: 'wall', right: 'deal' },
  { path: '/tasks', key: 'nav-tasks', icon: 'check', right: 'task' },
  { path: '/calls', key: 'nav-calls', icon: 'phone', right: 'call' },
  { path: '/submissions', key: 'nav-submissions', icon: 'form', right: 'submission' },
  { path: '/templates', key: 'nav-templates', icon: 'template' },
];

/** Supervisors and admins. */
export const CARE_ENTRIES: NavEntry[] = [
  { path: '/wall', key: 'nav-wall', icon: 'wall' },
  { path: '/sources', key: 'nav-sources', icon: 'lead', right: 'report' },
  { path: '/funnel', key: 'nav-funnel', icon: 'queue', right: 'report' },
  { path: '/responses', key: 'nav-responses', icon: 'clock', right: 'report' },
  { path: '/deliveries', key: 'nav-deliveries', icon: 'outbox' },
  { path: '/quarantine', key: 'nav-quarantine', icon: 'quarantine' },
  { path: '/imports', key: 'nav-imports', icon: 'file' },
  { path: '/simulation', key: 'nav-simulation', icon: 'bolt' },
];

export const ADMIN_ENTRIES: NavEntry[] = [
  { path: '/admin/lines', key: 'nav-lines', icon: 'line' },
  { path: '/admin/channels', key: 'nav-channels', icon: 'channel' },
  { path: '/admin/users', key: 'nav-users', icon: 'people' },
  { path: '/admin/teams', key: 'nav-teams', icon: 'contacts' },
  { path: '/admin/roles', key: 'nav-roles', icon: 'key' },
  { path: '/admin/fields', key: 'nav-fields', icon: 'list' },
  { path: '/admin/pipelines', key: 'nav-pipelines', icon: 'split' },
  { path: '/admin/capacity', key: 'nav-capacity', icon: 'queue' },
  { path: '/admin/apikeys', key: 'nav-apikeys', icon: 'key' },
  { path: '/admin/crm', key: 'nav-crm', icon: 'link' },
  { path: '/admin/1c', key: 'nav-commerce', icon: 'file' },
  { path: '/admin/webhooks', key: 'nav-webhooks', icon: 'external' },
  { path: '/admin/audit', key: 'nav-audit', icon: 'eye' },
];
