import { go } from '../../app/router.svelte';
import { isAdmin } from '../../app/session.svelte';
import { toast } from '../../app/toast.svelte';
import { t, texts } from '../../i18n/i18n.svelte';

/** Connections known to have stopped, so that a change of their name tells nothing twice. */
const told = new Set<string>();

/** Tells who is signed in that a CRM refuses its connection. */
export async function crmNotice(connection: { id: string; name: string; state: string }): Promise<void> {
  if (connection.state !== 'stopped') {
    told.delete(connection.id);
    return;
  }
  if (told.has(connection.id)) return;
  told.add(connection.id);
  await texts('crm');
  toast(t('crm-stopped-notice', { name: connection.name }), {
    tone: 'error',
    action: isAdmin() ? { label: t('open'), run: () => go(`/admin/crm/${connection.id}`) } : undefined,
  });
}
