/**
 * The conversation as the panel knows it: what the server confirmed, in the order of `seq`, and
 * what still waits to be confirmed. A pure store: no timers, no network, no page.
 *
 * The rules that make a resume free of gaps and doubles:
 * - `last` is the highest seq that came in order (a frame or a page of `GET messages`). Everything up
 *   to it is here, so after a cut it is enough to ask for `after=last`, and a message with a seq up to
 *   `last` that is not known is never inserted: it was dropped by the server on purpose.
 * - The answer to an own `POST` does not move `last`: a message of an operator with a smaller seq may
 *   still be on its way.
 * - An own message is found again by its `client_id`, or by the id that its `POST` answered with.
 */
import type { Attachment, Message } from './types';

/** An own message that the server has not yet sent back as part of the conversation. */
export interface Pending {
  client_id: string;
  text: string;
  attachments: Attachment[];
  /** RFC 3339 */
  created_at: string;
  /** waiting: will be sent by itself; sending; sent: accepted, its frame has not come; failed: waits for the visitor */
  state: 'waiting' | 'sending' | 'sent' | 'failed';
  /** why it failed, for the visitor */
  error?: string;
  /** attempts made so far */
  tries: number;
  /** given by the server once accepted */
  id?: string;
}

/** What `apply` did with a message. */
export type Applied = 'new' | 'own' | 'changed' | 'dropped';

export class Timeline {
  /** highest seq received in order; the `after` of the next resume */
  last = 0;
  /** highest seq of the visitor's messages that the staff has got and read */
  delivered = 0;
  read = 0;
  #byId = new Map<string, Message>();
  #bySeq: Message[] = [];
  #waiting: Pending[] = [];
  #before: Message[] = [];

  /** Takes a message from the server. */
  apply(message: Message): Applied {
    const known = this.#byId.get(message.id);
    if (known) {
      // What the server leaves out is gone: a message that was taken back has no quotation any more.
      delete known.reply_to;
      Object.assign(known, message);
      this.#raise(message);
      return 'changed';
    }
    if (!(message.seq > this.last)) return 'dropped';
    this.last = message.seq;
    this.#byId.set(message.id, message);
    this.#bySeq.push(message);
    this.#raise(message);
    const at = this.#waiting.findIndex(
      (own) => (message.client_id && own.client_id === message.client_id) || own.id === message.id,
    );
    if (at < 0) return 'new';
    this.#waiting.splice(at, 1);
    return 'own';
  }

  #raise(message: Message): void {
    if (message.kind === 'inbound' && message.read) this.receipt(message.seq, message.seq);
  }

  /** The staff has got and read the visitor's messages up to these; never moves back. */
  receipt(delivered = 0, read = 0): void {
    this.read = Math.max(this.read, read);
    this.delivered = Math.max(this.delivered, delivered, this.read);
  }

  /** Adds an own message at the end; a repeat of the same client_id changes nothing. */
  add(own: Pending): void {
    if (!this.pending(own.client_id) && !this.#bySeq.some((m) => m.client_id === own.client_id))
      this.#waiting.push(own);
  }

  /** The server accepted the message under this id; it stays pending until it comes back in order. */
  accepted(client_id: string, id: string): void {
    const own = this.pending(client_id);
    if (!own) return;
    // the frame came first and did not name the client_id: this is the same message
    if (this.#byId.has(id)) this.remove(client_id);
    else Object.assign(own, { state: 'sent', id, error: undefined });
  }

  /** The message with this client_id that is not yet part of the conversation. */
  pending(client_id: string): Pending | undefined {
    return this.#waiting.find((own) => own.client_id === client_id);
  }

  /** Takes a pending message away: the visitor discarded it. */
  remove(client_id: string): void {
    this.#waiting = this.#waiting.filter((own) => own.client_id !== client_id);
  }

  /** Own messages that are not confirmed, oldest first. */
  get unconfirmed(): readonly Pending[] {
    return this.#waiting;
  }

  /** Confirmed messages, oldest first, those of a conversation that ended before included. */
  get messages(): readonly Message[] {
    return this.#before.length ? [...this.#before, ...this.#bySeq] : this.#bySeq;
  }

  /** Replies with a seq above `seq`: what the visitor has not read. */
  unread(seq: number): number {
    return this.#bySeq.filter((m) => m.kind === 'reply' && m.seq > seq).length;
  }

  /** Adds a line of the panel itself, below the messages of the earlier conversation. */
  remark(message: Message): void {
    this.#before.push(message);
  }

  /** A new conversation begins: the old messages stay to be read, seq starts again. */
  startOver(): void {
    this.#before = [...this.messages];
    this.#bySeq = [];
    this.#byId.clear();
    this.last = this.delivered = this.read = 0;
    for (const own of this.#waiting) {
      delete own.id;
      if (own.state === 'sent' || own.state === 'sending') own.state = 'waiting';
    }
  }
}
