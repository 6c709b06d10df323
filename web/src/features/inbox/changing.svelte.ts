import type { Conversation, Message } from '../../api/types';
import { store } from '../../app/live.svelte';

export type How = 'edit' | 'delete';

/** Whether the person in front of the screen may change or take back a message; the server has the last word. */
export function mayChange(m: Message, c: Conversation, how: How): boolean {
  if (m.author.type !== 'operator' || m.author.id !== store.me || m.deleted) return false;
  if (m.kind === 'note') return true;
  if (m.kind !== 'reply' || m.mode === 'forward') return false;
  // What is not out yet can be changed on any channel.
  if (m.delivery?.state === 'queued' || m.delivery?.state === 'failed') return true;
  return how === 'edit' ? c.can_edit : c.can_delete;
}

class Changing {
  now = $state.raw<{ message: Message; how: How } | null>(null);

  set(next: { message: Message; how: How } | null): void {
    this.now = next;
  }
}

/** The message that is being changed. */
export const changing = new Changing();
