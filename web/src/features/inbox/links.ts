import { api } from '../../api/client';
import type { Conversation } from '../../api/types';
import { loadThread, store } from '../../app/live.svelte';
import { go } from '../../app/router.svelte';
import { toast, toastError } from '../../app/toast.svelte';
import { t } from '../../i18n/i18n.svelte';

/** Takes back a split or a merge, and shows the conversation that has its messages again. */
export async function takeBack(link: string): Promise<void> {
  try {
    const back = await api.post<Conversation>(`/conversations/links/${link}/undo`, {});
    store.putConversation(back);
    go(`/inbox/all/${back.id}`);
    void loadThread(back.id);
    toast(t('taken-back-toast', { item: String(back.number) }));
  } catch (e) {
    toastError(e);
  }
}
