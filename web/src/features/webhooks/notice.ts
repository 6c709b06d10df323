import { go } from '../../app/router.svelte';
import { isAdmin } from '../../app/session.svelte';
import { toast } from '../../app/toast.svelte';
import { t, texts } from '../../i18n/i18n.svelte';

/** Webhooks known to be off, so that a change of their name tells nothing twice. */
const told = new Set<string>();

/** Tells who is signed in that the server switched a webhook off. */
export async function webhookNotice(webhook: {
  id: string;
  name: string;
  disabled_because?: string | null;
}): Promise<void> {
  if (!webhook.disabled_because) {
    told.delete(webhook.id);
    return;
  }
  if (told.has(webhook.id)) return;
  told.add(webhook.id);
  await texts('webhooks');
  toast(t('webhook-off-notice', { name: webhook.name }), {
    tone: 'error',
    action: isAdmin() ? { label: t('open'), run: () => go(`/admin/webhooks/${webhook.id}`) } : undefined,
  });
}
