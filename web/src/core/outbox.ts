import type { Attachment, Message } from '../api/types';
import type { Keys, MailDraft } from './drafts';
import { Signal } from './signal';

/** A message that the server has not confirmed yet. */
export interface Pending {
  client_id: string;
  conversation_id: string;
  kind: 'reply' | 'note';
  text: string;
  attachments: Attachment[];
  /** What was typed, where that is more than the plain text. */
  source?: string;
  /** Of the draft, to go on writing when it is not taken. */
  mail?: MailDraft;
  keys?: Keys;
  /** Further fields of the request. */
  extra?: Record<string, unknown>;
  created_at: string;
  /** `failed`: the server refused it; only a person can send it again. */
  state: 'pending' | 'sending' | 'failed';
  attempts: number;
  error: string | null;
}

export interface SendFailure {
  transient: boolean;
  reason: string;
  /** Seconds the server asked us to wait. */
  retryAfter: number | null;
}

export interface OutboxHost {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;
  /** Resolves with the stored message or rejects; `explain` turns the rejection into a failure. */
  send(entry: Pending): Promise<Message>;
  explain(error: unknown): SendFailure;
  now(): number;
}

const PREFIX = 'sb.outbox.';

/**
 * What an operator sent stays in local storage until the server has confirmed it, so that a reload, a crash of the tab
 * or a dead network loses nothing. Repeats are harmless: `client_id` is the idempotency key. One conversation is sent
 * strictly in order; one that waits does not block the others.
 */
export class Outbox {
  readonly changed = new Signal();
  /** A message has been confirmed. */
  readonly sent = new Signal<Message>();
  #entries: Pending[] = [];
  #busy = new Set<string>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #user = '';
  #running = false;

  constructor(private readonly host: OutboxHost) {}

  /** Reads what an earlier page of the same user left behind, and begins to send. */
  start(user: string): void {
    this.#user = user;
    this.#running = true;
    this.#entries = [];
    const { storage } = this.host;
    for (let i = 0; i < storage.length; i++) {
      const key = storage.key(i);
      if (!key?.startsWith(this.#key(''))) continue;
      try {
        const entry = JSON.parse(storage.getItem(key) ?? '') as Pending;
        this.#entries.push(entry.state === 'sending' ? { ...entry, state: 'pending' } : entry);
      } catch {
        storage.removeItem(key);
      }
    }
    // UUIDv7 sorts by time, so the order in which they were written is kept.
    this.#entries.sort((a, b) => (a.client_id < b.client_id ? -1 : 1));
    this.changed.emit();
    this.flush();
  }

  stop(): void {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#entries = [];
    this.changed.emit();
  }

  entries(conversationId: string): Pending[] {
    return this.#entries.filter((e) => e.conversation_id === conversationId);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Keeps the message and begins to send it. Throws when the browser refuses to store it. */
  add(entry: Omit<Pending, 'state' | 'attempts' | 'error'>): void {
    const full: Pending = { ...entry, state: 'pending', attempts: 0, error: null };
    this.host.storage.setItem(this.#key(full.client_id), JSON.stringify(full));
    this.#entries = [...this.#entries, full];
    this.changed.emit();
    void this.#work(entry.conversation_id);
  }

  retry(clientId: string): void {
    const entry = this.#entries.find((e) => e.client_id === clientId);
    if (!entry) return;
    this.#update({ ...entry, state: 'pending', error: null });
    this.#wake(entry.conversation_id);
  }

  discard(clientId: string): Pending | undefined {
    const entry = this.#entries.find((e) => e.client_id === clientId);
    if (!entry || entry.state === 'sending') return undefined;
    this.#remove(clientId);
    this.#wake(entry.conversation_id);
    return entry;
  }

  /** The message arrived by another way (the socket): no need to ask again. */
  confirm(clientId: string): void {
    if (this.#entries.some((e) => e.client_id === clientId)) this.#remove(clientId);
  }

  /** Tries everything that waits now (the network came back). */
  flush(): void {
    for (const id of new Set(this.#entries.map((e) => e.conversation_id))) this.#wake(id);
  }

  #wake(conversationId: string): void {
    clearTimeout(this.#timers.get(conversationId));
    this.#timers.delete(conversationId);
    void this.#work(conversationId);
  }

  #key(clientId: string): string {
    return `${PREFIX}${this.#user}.${clientId}`;
  }

  #update(entry: Pending): void {
    this.#entries = this.#entries.map((e) => (e.client_id === entry.client_id ? entry : e));
    try {
      this.host.storage.setItem(this.#key(entry.client_id), JSON.stringify(entry));
    } catch {
      // The first copy is still stored; only the counter of attempts is older.
    }
    this.changed.emit();
  }

  #remove(clientId: string): void {
    this.#entries = this.#entries.filter((e) => e.client_id !== clientId);
    this.host.storage.removeItem(this.#key(clientId));
    this.changed.emit();
  }

  async #work(conversationId: string): Promise<void> {
    if (this.#busy.has(conversationId)) return;
    this.#busy.add(conversationId);
    try {
      for (;;) {
        const next = this.#entries.find((e) => e.conversation_id === conversationId);
        if (!this.#running || !next || next.state !== 'pending' || this.#timers.has(conversationId)) return;
        const entry: Pending = { ...next, state: 'sending', attempts: next.attempts + 1 };
        this.#update(entry);
        try {
          const message = await this.host.send(entry);
          if (!this.#running) return;
          // The listener puts the message in the thread before the pending copy goes: no flicker, no gap.
          this.sent.emit(message);
          this.#remove(entry.client_id);
        } catch (error) {
          if (!this.#running) return;
          if (!this.#entries.some((e) => e.client_id === entry.client_id)) continue;
          const failure = this.host.explain(error);
          if (!failure.transient) {
            this.#update({ ...entry, state: 'failed', error: failure.reason });
            return;
          }
          this.#update({ ...entry, state: 'pending', error: failure.reason });
          const wait = failure.retryAfter ?? Math.min(30, 2 ** Math.min(entry.attempts - 1, 5));
          this.#timers.set(
            conversationId,
            setTimeout(() => this.#wake(conversationId), wait * 1000),
          );
          return;
        }
      }
    } finally {
      this.#busy.delete(conversationId);
    }
  }
}
