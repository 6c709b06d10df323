import type { Attachment } from '../api/types';

export interface Draft {
  text: string;
  attachments: Attachment[];
  /** The address fields, on channels that have any. */
  mail?: MailDraft;
  /** What stands under it, on channels that have buttons. */
  keys?: Keys;
}

/** What a customer can press under a message; a channel shows the one or the other. */
export interface Keys {
  buttons: Button[];
  /** A button that shares the customer's phone number. */
  requestPhone: boolean;
}

export interface Button {
  label: string;
  /** The page it opens, or the text that comes back when it is pressed. */
  does: 'url' | 'data';
  value: string;
}

export const NO_KEYS: Keys = { buttons: [], requestPhone: false };

/** As the server takes them: one button a row. */
export function keysRequest(keys: Keys): Record<string, unknown> {
  if (keys.requestPhone) return { request_phone: true };
  if (!keys.buttons.length) return {};
  const button = (b: Button) => ({ label: b.label.trim(), [b.does]: b.value.trim() || b.label.trim() });
  return { buttons: keys.buttons.map((b) => [button(b)]) };
}

export interface Address {
  name?: string | null;
  address: string;
}

/** What a draft is beside its words. */
export interface MailDraft {
  mode: 'reply' | 'reply_all' | 'forward';
  /** As somebody left them; null: as the mode says. */
  fields: { to: Address[]; cc: Address[]; bcc: Address[] } | null;
  /** The message that is passed on. */
  forwardOf: string | null;
  /** The signature is left away. */
  unsigned: boolean;
}

export const NEW_MAIL: MailDraft = { mode: 'reply', fields: null, forwardOf: null, unsigned: false };

/** Nothing in it that somebody would miss. */
const isNew = (mail: MailDraft | undefined) =>
  !mail || (!mail.fields && !mail.forwardOf && !mail.unsigned && mail.mode === 'reply');

const EMPTY: Draft = { text: '', attachments: [] };

/** What is typed but not sent, per user, conversation and kind. Kept in local storage until it is sent or emptied. */
export class Drafts {
  constructor(
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
    private readonly user: () => string,
  ) {}

  #key(conversationId: string, kind: string): string {
    return `sb.draft.${this.user()}.${conversationId}.${kind}`;
  }

  load(conversationId: string, kind: 'reply' | 'note'): Draft {
    try {
      const raw = this.storage.getItem(this.#key(conversationId, kind));
      return raw ? { ...EMPTY, ...(JSON.parse(raw) as Partial<Draft>) } : EMPTY;
    } catch {
      return EMPTY;
    }
  }

  /** False when the browser has no room: the caller says so instead of pretending. */
  save(conversationId: string, kind: 'reply' | 'note', draft: Draft): boolean {
    const key = this.#key(conversationId, kind);
    try {
      const keys = draft.keys ?? NO_KEYS;
      const bare = !keys.requestPhone && !keys.buttons.length;
      if (!draft.text && draft.attachments.length === 0 && isNew(draft.mail) && bare) this.storage.removeItem(key);
      else this.storage.setItem(key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  text(conversationId: string): string {
    return this.load(conversationId, 'reply').text.trim();
  }
}
