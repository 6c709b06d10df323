/**
 * What this browser remembers of a channel, in the localStorage of the site.
 *
 * Nothing is written before the visitor sends the first message. Each unsent message has an entry of
 * its own, because two tabs of one site would overwrite a common list. Storage that is refused or full
 * is no error: the conversation then lives as long as the page.
 */
import type { Pending } from './timeline';

/** What is kept per channel. */
export interface Kept {
  /** the visitor's token; absent until the first message */
  token?: string;
  /** highest seq that the visitor has read */
  read?: number;
  /** accent colour of the channel, so that the launcher does not change its colour on the next page */
  accent?: string;
  /** sounds are wanted */
  sound?: boolean;
  /** the session that the visitor does not want to rate */
  unrated?: string;
}

export class Memory {
  #kept: Kept = {};
  #name: string;
  #storing = false;

  /** `storage` is a function because reading `window.localStorage` itself may throw. */
  constructor(
    key: string,
    private storage: () => Storage,
  ) {
    this.#name = 'switchboard:' + key;
    this.reload();
  }

  /** Reads again what another tab may have written. */
  reload(): void {
    try {
      const text = this.storage().getItem(this.#name);
      this.#storing = text !== null;
      if (text) this.#kept = JSON.parse(text) as Kept;
    } catch {
      // unreadable: as if nothing were there
    }
  }

  get<K extends keyof Kept>(field: K): Kept[K] {
    return this.#kept[field];
  }

  /** Changes fields; they reach the storage once `persist` was called, now or on an earlier page. */
  set(fields: Kept): void {
    Object.assign(this.#kept, fields);
    if (this.#storing) this.#write(this.#name, this.#kept);
  }

  /** The first message is being sent: from here on the browser remembers. */
  persist(): void {
    this.#storing = true;
    this.#write(this.#name, this.#kept);
  }

  /** Keeps an own message until the server has it. */
  keep(own: Pending): void {
    const { client_id, text, attachments, created_at } = own;
    this.#write(`${this.#name}:q:${client_id}`, { client_id, text, attachments, created_at });
  }

  /** The server has it, or the visitor discarded it. */
  drop(client_id: string): void {
    this.#erase(`${this.#name}:q:${client_id}`);
  }

  /** Own messages that an earlier page could not send, oldest first. */
  unsent(): Pending[] {
    const found: Pending[] = [];
    for (const name of this.#names()) {
      if (!name.startsWith(this.#name + ':q:')) continue;
      try {
        const own = JSON.parse(this.storage().getItem(name) ?? '') as Pending;
        if (typeof own.client_id === 'string' && typeof own.text === 'string')
          found.push({ ...own, attachments: own.attachments ?? [], state: 'waiting', tries: 0 });
      } catch {
        // not ours, or half written
      }
    }
    return found.sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
  }

  /** Forgets the visitor: token, marks and unsent messages. */
  forget(): void {
    for (const name of this.#names()) if (name === this.#name || name.startsWith(this.#name + ':q:')) this.#erase(name);
    this.#kept = {};
    this.#storing = false;
  }

  #names(): string[] {
    try {
      const storage = this.storage();
      return Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? '');
    } catch {
      return [];
    }
  }

  #write(name: string, value: unknown): void {
    try {
      this.storage().setItem(name, JSON.stringify(value));
    } catch {
      // private mode or full
    }
  }

  #erase(name: string): void {
    try {
      this.storage().removeItem(name);
    } catch {
      // refused
    }
  }
}
