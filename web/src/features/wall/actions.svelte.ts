import { ApiError, api } from '../../api/client';
import type { Availability, Conversation, Participant, User } from '../../api/types';
import { act, join, removeParticipant, store } from '../../app/live.svelte';
import { toast, toastError } from '../../app/toast.svelte';
import { t } from '../../i18n/i18n.svelte';
import type { MenuItem } from '../../ui/Menu.svelte';

/** What supervisors do from the wall: the same actions as in the conversation, on rows they have not opened. */
export class WallActions {
  /** The conversation about to be moved: the transfer dialog is open. */
  moving = $state.raw<Conversation | null>(null);
  /** Whose reasons are shown. */
  asking = $state<string | null>(null);

  constructor(private readonly reload: () => void) {}

  async #try(what: () => Promise<unknown>): Promise<void> {
    try {
      await what();
    } catch (e) {
      toastError(e);
    }
    this.reload();
  }

  /** `force`: another's, or above one's capacity. */
  async take(id: string, force = false): Promise<void> {
    try {
      await act(id, 'take', force ? { force } : {});
      toast(t('wall-taken'));
    } catch (e) {
      if (e instanceof ApiError && e.code === 'at-capacity')
        toast(t('take-full'), {
          tone: 'error',
          action: { label: t('take-force'), run: () => void this.take(id, true) },
        });
      else toastError(e);
    }
    this.reload();
  }

  move(id: string): Promise<void> {
    return this.#try(async () => (this.moving = await api.get<Conversation>(`/conversations/${id}`)));
  }

  moved(): void {
    this.moving = null;
    this.reload();
  }

  setAvailability(id: string, state: Availability): Promise<void> {
    return this.#try(async () => store.putPerson(await api.put<User>(`/users/${id}/availability`, { state })));
  }

  /** Joining openly or unseen, and leaving; whoever answers is there already. */
  participation(id: string, participants: readonly Participant[], owner: string | null): MenuItem[] {
    if (owner === store.me) return [];
    const part = participants.find((p) => p.operator_id === store.me);
    const items: MenuItem[] = [];
    if (!part || part.hidden)
      items.push({
        label: t(part ? 'join-openly' : 'join'),
        icon: 'join',
        run: () => void this.#try(() => join(id, false)),
      });
    if (!part?.hidden)
      items.push({ label: t('join-hidden'), icon: 'eye-off', run: () => void this.#try(() => join(id, true)) });
    if (part)
      items.push({ label: t('leave'), icon: 'out', run: () => void this.#try(() => removeParticipant(id, store.me)) });
    return items;
  }
}
