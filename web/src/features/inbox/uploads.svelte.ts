import { upload } from '../../api/client';
import type { Attachment } from '../../api/types';
import { explain } from '../../app/toast.svelte';
import { uuidv7 } from '../../core/id';

export interface Upload {
  key: string;
  file: File;
  share: number;
  error: string;
  abort: AbortController;
  /** The draft it was begun for, which may not be the one that is shown when it ends. */
  into: 'reply' | 'note';
}

/** Files on their way to the server. */
export class Uploads {
  items = $state.raw<Upload[]>([]);

  constructor(private readonly done: (file: Attachment, into: Upload['into']) => void) {}

  add(files: Iterable<File>, into: Upload['into']): void {
    for (const file of files) {
      const u: Upload = { key: uuidv7(), file, share: 0, error: '', abort: new AbortController(), into };
      this.items = [...this.items, u];
      void this.#start(u);
    }
  }
  again(u: Upload): void {
    void this.#start({ ...u, abort: new AbortController() });
  }
  cancel(u: Upload): void {
    u.abort.abort();
    this.#remove(u.key);
  }
  stop(): void {
    for (const u of this.items) u.abort.abort();
  }

  #remove(key: string): void {
    this.items = this.items.filter((x) => x.key !== key);
  }
  #patch(key: string, change: Partial<Upload>): void {
    this.items = this.items.map((u) => (u.key === key ? { ...u, ...change } : u));
  }
  async #start(u: Upload): Promise<void> {
    this.#patch(u.key, { error: '', share: 0, abort: u.abort });
    try {
      const share = (part: number) => this.#patch(u.key, { share: part });
      const file = await upload<Attachment>('/attachments', u.file, share, u.abort.signal);
      this.#remove(u.key);
      this.done(file, u.into);
    } catch (e) {
      this.#patch(u.key, { error: explain(e) });
    }
  }
}
