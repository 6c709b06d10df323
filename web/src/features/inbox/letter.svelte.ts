import { api } from '../../api/client';
import type { Message, Writing } from '../../api/types';
import { isAddress } from '../../core/address';
import { NEW_MAIL, type MailDraft } from '../../core/drafts';

/** What a draft is beside its words, on channels with address fields. */
export class Letter {
  mail = $state.raw<MailDraft>(NEW_MAIL);
  /** What the server says an answer begins with; null until it came. */
  writing = $state.raw<Writing | null>(null);

  readonly #usual = $derived(
    this.mail.mode === 'reply_all'
      ? (this.writing?.reply_all ?? [])
      : this.mail.mode === 'reply'
        ? (this.writing?.reply ?? [])
        : [],
  );
  /** Whether it is clear whom it goes to. Until the server answered, it knows better than this page. */
  readonly addressed = $derived(
    this.mail.fields
      ? this.mail.fields.to.length > 0 &&
          Object.values(this.mail.fields)
            .flat()
            .every((a) => isAddress(a.address))
      : this.mail.mode !== 'forward' && !this.writing?.unanswerable,
  );

  constructor(private readonly id: string) {}

  async load(): Promise<void> {
    try {
      this.writing = await api.get<Writing>(`/conversations/${this.id}/writing`);
    } catch {
      // The server knows whom an answer goes to, even when the reader does not see it.
    }
  }

  set(change: Partial<MailDraft>): void {
    this.mail = { ...this.mail, ...change };
  }

  /** Reply, reply to all, or pass a message on. */
  address(mode: MailDraft['mode'], passed: Message | undefined): void {
    if (mode === 'forward') this.set({ mode, fields: { to: [], cc: [], bcc: [] }, forwardOf: passed?.id ?? null });
    else this.set({ mode, fields: null, forwardOf: null });
  }

  /** What the server is told beside the words: what was seen, so that nothing changes between look and send. */
  request(): Record<string, unknown> {
    const { mode, fields, forwardOf, unsigned } = this.mail;
    const role = (r: string) => this.#usual.filter((x) => x.role === r).map(({ name, address }) => ({ name, address }));
    return {
      mode,
      ...(fields ?? { to: role('to'), cc: role('cc'), bcc: [] }),
      ...(forwardOf ? { forward_of: forwardOf } : {}),
      ...(unsigned ? { signature: false } : {}),
    };
  }
}
