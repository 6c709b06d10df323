/**
 * The conversation as a running thing: joins the session, the store, the queue of unsent messages and
 * the live connection. The view draws what it finds here and calls its methods; nothing here touches
 * elements of the page.
 */
import { backoff } from './backoff';
import { Client, Refused } from './client';
import { Link } from './link';
import { Memory } from './memory';
import type { Loaded } from './parts';
import { fill, type Strings } from './strings';
import { Timeline, type Pending } from './timeline';
import type { Attachment, Contact, Frame, Host, Message, Session, Settings, Standing } from './types';

/** Between polls while sockets cannot be opened: each waits at the server for news. Longer while nobody looks. */
const POLL_MS = 1_000;
const POLL_HIDDEN_MS = 15_000;
/** A typing mark lives so long without being repeated, and is sent at most so often, milliseconds. */
const TYPING_SHOWN_MS = 6_000;
const TYPING_SENT_MS = 3_000;
/** The same where operators see what is being written. */
const PREVIEW_SENT_MS = 700;
/** Sites change their address without loading a page: looked at so often, milliseconds. */
const PAGE_MS = 2_000;

export class Chat {
  readonly timeline = new Timeline();
  readonly memory: Memory;
  readonly client: Client;
  settings: Settings = {};
  /** null until the first session */
  session: Session | null = null;
  /** the place in the queue, the question for a rating */
  standing: Standing = {};
  /** name of the operator who is typing; null when nobody is */
  typist: string | null = null;
  /** the last attempt to reach the server failed */
  troubled = false;
  /** the server refuses this channel on this site: nothing can be sent */
  refused = false;
  /** the history is being read: no announcements, no sounds */
  loading = false;
  /** what the visitor filled in before the chat, and in which form */
  contact: (Contact & Record<string, string>) | undefined;
  form: string | undefined;

  /** origin of the server: relative addresses in messages start there */
  readonly origin: string;

  #link: Link;
  #poller: ReturnType<typeof setTimeout> | undefined;
  #repeat: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval>;
  #typingEnds: ReturnType<typeof setTimeout> | undefined;
  #typingSent = 0;
  #typingLater: ReturnType<typeof setTimeout> | undefined;
  #page = '';
  #events: object[] = [];
  /** the last message when the visitor ended the talk */
  #ended = 0;
  #told = 0;
  #flushing = false;
  #entering: Promise<void> | null = null;
  #failures = 0;

  constructor(
    private host: Host,
    parts: Loaded,
    private words: () => Strings,
    /** something to draw changed */
    private changed: () => void,
    /** a reply arrived while the page was open */
    private arrived: (message: Message) => void,
  ) {
    this.origin = host.origin;
    this.memory = new Memory(host.key, () => localStorage);
    const base = `${host.origin}/widget/v1/${encodeURIComponent(host.key)}/`;
    this.client = new Client(
      base,
      this.memory.get('token'),
      () => this.#visit(),
      (session, renewed) => this.#entered(session, renewed),
      (puzzle) => parts.need('work').then((work) => work.solve(puzzle)),
    );
    const socket = base.replace(/^http/, 'ws') + 'socket?token=';
    this.#link = new Link(() => `${socket}${encodeURIComponent(this.client.token ?? '')}&after=${this.timeline.last}`, {
      up: () => {
        clearTimeout(this.#poller);
        this.#reached();
        // what requests brought in the meantime has arrived too
        if (this.#remembered) this.#link.send({ type: 'delivered', seq: this.timeline.last });
        this.#page = '';
        this.#whereabouts();
        this.#tell();
      },
      frame: (frame) => this.#frame(frame),
      down: (_greeted, code) => {
        // 4401: the server does not know the token any more. Else a request tells whether only the socket is blocked.
        if (code === 4401) void this.client.renew(this.client.token).catch(() => undefined);
        this.#poll(0);
      },
    });
    for (const own of this.memory.unsent()) this.timeline.add(own);
    addEventListener('online', () => this.nudge());
    addEventListener('offline', () => this.#trouble());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#link.rest();
      else this.nudge();
      this.#whereabouts();
    });
    this.#looking = setInterval(() => document.hidden || this.#whereabouts(), PAGE_MS);
  }

  /** Tells the staff which page the visitor is on, when that changed. */
  #whereabouts(): void {
    const page = { url: location.href, title: document.title, hidden: document.hidden };
    const now = JSON.stringify(page);
    if (now !== this.#page && this.#link.send({ type: 'page', ...page })) this.#page = now;
  }

  #visit() {
    const { user_id, exp, signature, name, email, phone } = this.host.identity ?? ({} as Record<string, undefined>);
    const attribution = this.host.attribution();
    const contact = { name, email, phone, ...this.contact };
    return {
      page: {
        url: location.href,
        referrer: document.referrer,
        title: document.title,
        language: this.host.options.locale || navigator.language,
      },
      ...(attribution && { attribution }),
      ...(Object.values(contact).some(Boolean) && { contact }),
      ...(this.form && { form: this.form }),
      ...(user_id && exp && signature && { identity: { user_id, exp, signature } }),
      ...(this.#events.length > 0 && { events: this.#events.splice(0) }),
    };
  }

  /** Keeps what the site reports for the next opening of the session. */
  event(name: string, data: unknown): void {
    this.#events.push({ name, data, at: new Date().toISOString() });
    this.#events.splice(0, this.#events.length - 20);
  }

  /** Opens the session, reads the history and goes live; safe to call again. Rejects when the server cannot be reached. */
  enter(): Promise<void> {
    this.#entering ??= (async () => {
      try {
        await this.client.open();
        await this.#catchUp();
        this.#reached();
        this.#live();
      } catch (error) {
        this.#failed(error);
        if (!this.refused) {
          clearTimeout(this.#repeat);
          this.#repeat = setTimeout(() => void this.enter().catch(() => undefined), backoff(this.#failures++));
        }
        throw error;
      } finally {
        this.#entering = null;
        this.changed();
      }
    })();
    return this.#entering;
  }

  /** Posts the session again with what became known: the form before the chat, an identity. */
  async update(): Promise<void> {
    await this.client.open();
    await this.#catchUp();
  }

  #entered(session: Session, renewed: boolean): void {
    const was = this.session;
    this.session = session;
    this.settings = session.settings ?? {};
    this.standing = session;
    this.memory.set({ token: session.visitor_token, accent: this.settings.accent_color ?? '' });
    const moved = was?.conversation_id && session.conversation_id && was.conversation_id !== session.conversation_id;
    if (renewed || moved) {
      this.timeline.startOver();
      this.memory.set({ read: 0 });
      this.#told = 0;
      if (renewed) this.notice(this.words().renewed);
    }
    if (was && was.visitor_token !== session.visitor_token) this.#link.restart();
    this.changed();
  }

  /** A line of the panel itself in the log. */
  notice(text: string): void {
    const id = 'local-' + crypto.randomUUID();
    this.timeline.remark({
      id,
      seq: 0,
      kind: 'system',
      author: { type: 'system' },
      text,
      created_at: new Date().toISOString(),
    });
    this.changed();
  }

  /** A socket makes sense once there is something to hear: a conversation, or a message on its way. */
  #live(): void {
    if (this.session?.conversation_id || this.#remembered) this.#link.start();
  }

  /** What an invitation said that brought the visitor here. */
  get greeting(): string | undefined {
    return this.host.invited;
  }

  /** There is a talk that can be ended. */
  get talking(): boolean {
    return this.#remembered && !this.standing.rating && this.#ended < this.timeline.last;
  }

  get #remembered(): boolean {
    return this.timeline.messages.length > 0;
  }

  #frame(frame: Frame): void {
    // New or changed: both are put where they belong.
    if ('message' in frame) this.#take([frame.message]);
    else if (frame.type === 'typing') this.#showTyping(('author' in frame && frame.author?.name) || '');
    else if (frame.type === 'receipt') {
      const { delivered_seq, read_seq } = frame as { delivered_seq?: number; read_seq?: number };
      this.timeline.receipt(delivered_seq, read_seq);
      this.changed();
    } else if (frame.type === 'queue' || frame.type === 'rating') {
      this.standing = { ...this.standing, ...frame };
      this.changed();
    }
  }

  #take(messages: Message[]): void {
    let fresh = 0;
    for (const message of messages) {
      const result = this.timeline.apply(message);
      if (result === 'own' && message.client_id) this.memory.drop(message.client_id);
      if (result !== 'new' || message.kind !== 'reply') continue;
      fresh = message.seq;
      this.typist = null;
      if (!this.loading) this.arrived(message);
    }
    if (fresh) this.#link.send({ type: 'delivered', seq: fresh });
    this.changed();
  }

  /** Reads everything after the last known message by requests. */
  async #catchUp(wait = false): Promise<void> {
    this.loading = this.timeline.last === 0;
    try {
      for (let more = true; more;) {
        const page = await this.client.after(this.timeline.last, wait);
        const before = this.timeline.last;
        this.standing = page;
        this.#take(page.items);
        more = page.more && this.timeline.last > before;
      }
    } finally {
      this.loading = false;
    }
  }

  #poll(after: number, wait = false): void {
    clearTimeout(this.#poller);
    this.#poller = setTimeout(async () => {
      if (this.#link.up || !this.session) return;
      try {
        // only once the server is known to answer: a wait must not hide that it does not
        await this.#catchUp(wait && !this.troubled);
        this.#reached();
      } catch (error) {
        this.#failed(error);
      }
      if (!this.#link.up && !this.refused) this.#poll(document.hidden ? POLL_HIDDEN_MS : POLL_MS, true);
    }, after);
  }

  /** The server answered: what waits can go. */
  #reached(): void {
    this.#failures = 0;
    if (this.troubled) {
      this.troubled = false;
      this.changed();
    }
    void this.#flush();
  }

  #trouble(): void {
    this.troubled = true;
    this.changed();
  }

  #failed(error: unknown): void {
    if (error instanceof Refused && !error.passing) this.refused = true;
    this.#trouble();
  }

  /** The network or the visitor is back. */
  nudge(): void {
    clearTimeout(this.#repeat);
    if (!this.session) void this.enter().catch(() => undefined);
    else {
      this.#link.nudge();
      if (!this.#link.up) this.#poll(0);
      void this.#flush();
    }
  }

  /** Puts a message into the queue and shows it at once. */
  send(text: string, attachments: Attachment[]): void {
    const own: Pending = {
      client_id: crypto.randomUUID(),
      text,
      attachments,
      created_at: new Date().toISOString(),
      state: 'waiting',
      tries: 0,
    };
    this.timeline.add(own);
    this.memory.persist();
    this.memory.keep(own);
    this.#typingSent = 0;
    clearTimeout(this.#typingLater);
    this.host.emit('send', { client_id: own.client_id, text });
    this.changed();
    void this.#flush();
  }

  /** The visitor wants a failed message sent again. */
  again(client_id: string): void {
    const own = this.timeline.pending(client_id);
    if (!own) return;
    Object.assign(own, { state: 'waiting', error: undefined, tries: 0 });
    this.changed();
    void this.#flush();
  }

  discard(client_id: string): void {
    this.timeline.remove(client_id);
    this.memory.drop(client_id);
    this.changed();
  }

  /** Sends what waits, one after the other, so that the order stays the one of writing. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    clearTimeout(this.#repeat);
    try {
      for (let own; (own = this.timeline.unconfirmed.find((p) => p.state === 'waiting'));) {
        own.state = 'sending';
        this.changed();
        try {
          const { id } = await this.client.send(
            own.client_id,
            own.text,
            own.attachments.map((file) => file.id),
          );
          this.timeline.accepted(own.client_id, id);
          this.memory.drop(own.client_id);
          this.troubled = false;
          this.changed();
          this.#link.start();
          // without a socket nobody brings the message back
          if (!this.#link.up) this.#poll(POLL_MS);
        } catch (error) {
          if (this.#stumble(own, error)) return;
        }
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** Notes that a message could not be sent; true when sending must pause. */
  #stumble(own: Pending, error: unknown): boolean {
    const refused = error instanceof Refused ? error : new Refused(0);
    own.tries++;
    if (!refused.passing) {
      own.state = 'failed';
      own.error = refused.status === 413 ? this.words().tooMuch : refused.message || this.words().refused;
      this.changed();
      return false;
    }
    own.state = 'waiting';
    own.error = refused.status === 429 ? this.words().tooMany : undefined;
    if (!refused.status) this.troubled = true;
    this.#repeat = setTimeout(() => void this.#flush(), Math.max(backoff(own.tries - 1), refused.retryAfter * 1000));
    this.changed();
    return true;
  }

  /** The visitor has everything in sight that came so far. */
  seen(): void {
    const seq = this.timeline.last;
    if (seq > (this.memory.get('read') ?? 0)) this.memory.set({ read: seq });
    this.#tell();
  }

  /** Replies that the visitor has not seen. */
  get unread(): number {
    return this.timeline.unread(this.memory.get('read') ?? 0);
  }

  /** Sends a rating; false when it did not get through. */
  async rate(score: number, comment: string): Promise<boolean> {
    try {
      await this.client.rate(score, comment);
    } catch (error) {
      // it was rated before, and that stands
      if (!(error instanceof Refused) || error.status !== 409) return false;
    }
    return true;
  }

  /** Has the session that ended sent there; why not, when it is not. */
  async transcript(email: string): Promise<string> {
    try {
      await this.client.transcript(email);
    } catch (error) {
      const words = this.words();
      return error instanceof Refused && error.status === 422 ? words.email : words.failed;
    }
    this.standing = { ...this.standing, transcript: null };
    this.notice(fill(this.words().mailed, { email }));
    return '';
  }

  #tell(): void {
    const seq = this.memory.get('read') ?? 0;
    if (seq <= this.#told || !this.timeline.messages.some((m) => m.kind === 'reply' && m.seq > this.#told)) return;
    this.#told = seq;
    if (!this.#link.send({ type: 'read', seq })) void this.client.read(seq).catch(() => (this.#told = 0));
  }

  /** The visitor is writing; the staff sees a mark, and the unsent text where the channel says so. */
  typing(text: string): void {
    const preview = this.settings.typing_preview;
    if (!this.session || !this.#remembered || (!preview && !text.trim())) return;
    const wait = this.#typingSent + (preview ? PREVIEW_SENT_MS : TYPING_SENT_MS) - Date.now();
    clearTimeout(this.#typingLater);
    if (wait > 0) {
      // the last letters of a pause are shown too
      if (preview) this.#typingLater = setTimeout(() => this.typing(text), wait);
      return;
    }
    this.#typingSent = Date.now();
    const shown = preview ? text : undefined;
    if (!this.#link.send({ type: 'typing', text: shown })) void this.client.typing(shown).catch(() => undefined);
  }

  /** Ends the talk; false when that did not get through. */
  async end(): Promise<boolean> {
    try {
      await this.client.end();
    } catch {
      return false;
    }
    this.#ended = this.timeline.last;
    this.host.emit('end');
    return true;
  }

  #showTyping(name: string): void {
    this.typist = name;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => {
      this.typist = null;
      this.changed();
    }, TYPING_SHOWN_MS);
    this.changed();
  }

  /** Another tab of the site wrote to the storage. */
  shared(): void {
    this.memory.reload();
    this.changed();
  }

  /** Ends everything and forgets the visitor. */
  shutdown(): void {
    this.#link.stop();
    clearTimeout(this.#poller);
    clearTimeout(this.#repeat);
    clearInterval(this.#looking);
    this.memory.forget();
  }
}
