/**
 * Shapes shared by the widget's files. The wire shapes are those of API.md ("Visitors");
 * fields that the server may leave out are optional here, because the panel must keep
 * working against an older or a newer server than the one it was built with.
 */

/** A file that belongs to a message. `url` may be relative to the server. */
export interface Attachment {
  id: string;
  name: string;
  content_type: string;
  /** bytes */
  size: number;
  url?: string;
}

/** A message as the visitor may see it. `seq` grows within a conversation and may skip. */
export interface Message {
  id: string;
  seq: number;
  kind: 'inbound' | 'reply' | 'system';
  author: { type: 'contact' | 'operator' | 'system'; name?: string | null };
  text: string;
  attachments?: Attachment[];
  client_id?: string | null;
  /** RFC 3339, UTC */
  created_at: string;
  /** for the visitor's own messages: the staff has read it */
  read?: boolean;
  /** its words were changed since */
  edited_at?: string;
  /** it was taken back: there are no words any more */
  deleted?: boolean;
  /** the visitor wrote it by e-mail; its words are not always told */
  by_mail?: boolean;
  /** the message it answers */
  reply_to?: { id: string; name?: string | null; text: string };
}

/** One field of the form shown before the first message. */
export interface Field {
  name: string;
  label?: string;
  type?: string;
  required?: boolean;
  options?: (string | { value: string; label?: string })[];
  maps_to?: string | null;
  placeholder?: string | null;
  /** asked only while an earlier field has one of these values (any, when there are none), or has not */
  show_when?: { field: string; is?: string[]; not?: boolean } | null;
}

/** What the channel says about itself; every field has a default in the panel. */
export interface Settings {
  title?: string | null;
  accent_color?: string | null;
  locale?: string | null;
  prechat_fields?: Field[] | null;
  require_prechat?: boolean;
  /** bytes */
  max_upload_bytes?: number;
  /** Unicode characters */
  max_text_chars?: number;
  /** asked instead of `prechat_fields` while the line is closed */
  closed_fields?: Field[] | null;
  /** what the visitor agrees to before writing */
  consent?: { text: string; url?: string | null } | null;
  /** operators see what is being written */
  typing_preview?: boolean;
}

/** How the visitor's session stands, beside its messages. */
export interface Standing {
  /** while they wait for an operator */
  queue?: { position: number; estimated_wait_secs: number | null } | null;
  /** the question for a rating, when the session ended; `score` once they answered */
  rating?: { session_id: string; score: number | null; text: string | null } | null;
  /** the session that ended may be sent to them; the address they gave */
  transcript?: { email: string | null } | null;
}

/** Answer of `POST sessions`. */
export interface Session extends Standing {
  visitor_token: string;
  conversation_id: string | null;
  line_open?: boolean;
  opens_at?: string | null;
  settings?: Settings;
}

/** A site's own word for who the visitor is; `signature` is made by the site's server. */
export interface Identity {
  user_id: string;
  /** unix seconds */
  exp: number;
  /** hex HMAC-SHA256 of `"{user_id}.{exp}"` */
  signature: string;
}

/** What a visitor says about themselves; a claim, never proof. */
export interface Contact {
  name?: string;
  email?: string;
  phone?: string;
}

/** Where a visit came from. Names are those of the lead's attribution. */
export type Touch = Record<string, string>;

/** First and last touch of this browser on this site. */
export interface Attribution {
  first: Touch;
  last: Touch;
}

/** Frames that the server sends over the socket. */
export type Frame =
  | { type: 'hello'; seq: number }
  | { type: 'message' | 'updated'; message: Message }
  | { type: 'typing'; author?: { name?: string | null } }
  | { type: 'receipt'; delivered_seq?: number; read_seq?: number }
  | ({ type: 'queue' | 'rating' } & Standing)
  | { type: 'pong' }
  | { type: string };

/** What the loader hands to the panel: its place in the page and its memory of the page's wishes. */
export interface Host {
  /** channel key */
  key: string;
  /** origin of the server, without a slash at the end */
  origin: string;
  /** the wrapper inside the shadow root; the panel puts its own elements here */
  root: HTMLElement;
  shadow: ShadowRoot;
  launcher: HTMLButtonElement;
  /** `data-*` of the script tag, overridden by `boot` */
  options: Record<string, string | undefined>;
  /** set by `identify` */
  identity?: Identity & Contact;
  /** what an invitation said that was accepted */
  invited?: string;
  attribution(): Attribution | undefined;
  /** tells listeners of `Switchboard("on", …)` */
  emit(event: string, data?: unknown): void;
}

/** What the panel gives back to the loader: what `Switchboard(name, argument)` calls. */
export interface Panel {
  open(): void;
  close(): void;
  toggle(): void;
  identify(): void;
  /** something that happened on the site */
  event(name?: unknown, data?: unknown): void;
  /** puts words into the field, for the visitor to send */
  prefill(text?: unknown): void;
  /** ends the talk */
  end(): void;
  /** forgets the visitor in this browser */
  shutdown(): void;
}

/** When a visitor is invited to the chat (the channel's `invitations`). */
export interface Invitation {
  text: string;
  /** seconds on the page */
  after_secs?: number;
  /** part of the page's address, or a pattern with `*`; any when empty */
  url?: string | null;
  /** any, new, returning */
  visitors?: string;
}
