import type { IconName } from '../ui/icons';

export interface NavEntry {
  path: string;
  key: string;
  icon: IconName;
}

export const VIEW_ENTRIES: (NavEntry & { view: 'mine' | 'queue' | 'all' | 'closed' })[] = [
  { view: 'mine', path: '/inbox/mine', key: 'view-mine', icon: 'inbox' },
  { view: 'queue', path: '/inbox/queue', key: 'view-queue', icon: 'queue' },
  { view: 'all', path: '/inbox/all', key: 'view-all', icon: 'all' },
  { view: 'closed', path: '/inbox/closed', key: 'view-closed', icon: 'closed' },
];

export const WORK_ENTRIES: NavEntry[] = [
  { path: '/search', key: 'nav-search', icon: 'search' },
  { path: '/contacts', key: 'nav-contacts', icon: 'contacts' },
  { path: '/leads', key: 'nav-leads', icon: 'lead' },
  { path: '/calls', key: 'nav-calls', icon: 'phone' },
  { path: '/submissions', key: 'nav-submissions', icon: 'form' },
  { path: '/templates', key: 'nav-templates', icon: 'template' },
];

/** Supervisors and admins. */
export const CARE_ENTRIES: NavEntry[] = [
  { path: '/wall', key: 'nav-wall', icon: 'wall' },
  { path: '/sources', key: 'nav-sources', icon: 'lead' },
  { path: '/deliveries', key: 'nav-deliveries', icon: 'outbox' },
  { path: '/quarantine', key: 'nav-quarantine', icon: 'quarantine' },
  { path: '/simulation', key: 'nav-simulation', icon: 'bolt' },
];

export const ADMIN_ENTRIES: NavEntry[] = [
  { path: '/admin/lines', key: 'nav-lines', icon: 'line' },
  { path: '/admin/channels', key: 'nav-channels', icon: 'channel' },
  { path: '/admin/users', key: 'nav-users', icon: 'people' },
  { path: '/admin/teams', key: 'nav-teams', icon: 'contacts' },
  { path: '/admin/capacity', key: 'nav-capacity', icon: 'queue' },
  { path: '/admin/apikeys', key: 'nav-apikeys', icon: 'key' },
];
