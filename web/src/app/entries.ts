import { ADMIN_ENTRIES, CARE_ENTRIES, VIEW_ENTRIES, WORK_ENTRIES, type NavEntry } from './nav';
import { isAdmin, isSupervisor, may } from './session.svelte';

/** Where one may go: what the role gives no right to see is not shown. */
export const views = () => (may('conversation') ? VIEW_ENTRIES : []);
export const work = () => WORK_ENTRIES.filter((e) => !e.right || may(e.right));
export const care = () => CARE_ENTRIES.filter((e) => (e.right ? may(e.right) : isSupervisor()));
export const admin = () => (isAdmin() ? ADMIN_ENTRIES : []);

/** Whether a screen is one of those. */
export function allowed(key: string): boolean {
  const closed = (list: NavEntry[], open: NavEntry[]) =>
    list.some((e) => e.path === `/${key}`) && !open.some((e) => e.path === `/${key}`);
  if (key.startsWith('admin/')) return isAdmin();
  return !closed(WORK_ENTRIES, work()) && !closed(CARE_ENTRIES, care());
}
