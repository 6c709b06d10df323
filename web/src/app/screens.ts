import type { Component } from 'svelte';
import { texts } from '../i18n/i18n.svelte';

/** A rare screen and its texts, loaded together. */
const withTexts = async <T>(part: string, screen: Promise<T>): Promise<T> =>
  (await Promise.all([screen, texts(part)]))[0];
export const screens: Record<string, () => Promise<{ default: Component }>> = {
  search: () => import('../features/search/Search.svelte'),
  contacts: () => withTexts('people', import('../features/contacts/Contacts.svelte')),
  companies: () => withTexts('people', import('../features/people/Companies.svelte')),
  'admin/fields': () => withTexts('people', import('../features/people/CustomFields.svelte')),
  leads: () => import('../features/leads/Leads.svelte'),
  calls: () => import('../features/calls/Calls.svelte'),
  templates: () => import('../features/templates/Templates.svelte'),
  wall: () => import('../features/wall/Wall.svelte'),
  submissions: () => withTexts('forms', import('../features/intake/Submissions.svelte')),
  sources: () => withTexts('reports', import('../features/reports/Sources.svelte')),
  responses: () => withTexts('reports', import('../features/reports/Responses.svelte')),
  quarantine: () => import('../features/intake/Quarantine.svelte'),
  deliveries: () => import('../features/intake/Deliveries.svelte'),
  imports: () => withTexts('imports', import('../features/imports/Imports.svelte')),
  simulation: () => withTexts('simulation', import('../features/simulation/Simulation.svelte')),
  'admin/channels': () => withTexts('forms', import('../features/admin/Channels.svelte')),
  'admin/users': () => import('../features/admin/People.svelte'),
  'admin/teams': () => import('../features/admin/Teams.svelte'),
  'admin/roles': () => withTexts('roles', import('../features/roles/Roles.svelte')),
  'admin/capacity': () => import('../features/admin/Capacity.svelte'),
  'admin/apikeys': () => import('../features/admin/ApiKeys.svelte'),
  'admin/webhooks': () => withTexts('webhooks', import('../features/webhooks/Webhooks.svelte')),
  'admin/crm': () => withTexts('crm', import('../features/crm/Crm.svelte')),
  'admin/1c': () => withTexts('commerce', import('../features/commerce/Exchanges.svelte')),
  'admin/audit': () => withTexts('privacy', import('../features/admin/Audit.svelte')),
  profile: () => import('../features/profile/Profile.svelte'),
};
const selling = () => import('../features/deals/screens');
for (const name of ['deals', 'tasks', 'funnel', 'admin/pipelines', 'admin/lines'])
  screens[name] = () => selling().then((all) => all.screen(name));
