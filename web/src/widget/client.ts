/** HTTP side of the visitor's protocol: the session, messages, files. Knows nothing of the page's elements. */
import type { Attribution, Contact, Identity, Message, Session, Standing } from './types';
import type { Puzzle } from './work';

/** Requests that take longer are given up and repeated, milliseconds. */
const PATIENCE_MS = 20_000;
/** A request without a socket may wait so long for something new, seconds. */
const WAIT_SECS = 25;

/** The server's "no". Status 0: there was no answer at all. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    detail = '',
    /** seconds that the server asks to wait */
    readonly retryAfter = 0,
    /** what is to be solved first */
    readonly puzzle?: Puzzle,
  ) {
    super(detail);
  }

  /** The same request may succeed later by itself. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 500 || [401, 408, 425, 429].includes(this.status);
  }
}

/** What goes with every `POST sessions`. */
export interface Visit {
  page: { url: string; referrer: string; title: string; language: string };
  attribution?: Attribution;
  contact?: Contact;
  /** which questions `contact` answers, when the line is closed */
  form?: string;
  identity?: Identity;
  events?: unknown[];
}

export class Client {
  /** token in use; null before the first session */
  token: string | null;
  #opening: Promise<Session> | null = null;

  /**
   * `onSession` hears of every opened session; `renewed` says that the token known so far was refused
   * and that another visitor, with an empty conversation, took its place.
   */
  constructor(
    private base: string,
    token: string | undefined,
    private visit: () => Visit,
    private onSession: (session: Session, renewed: boolean) => void,
    /** solves what a server under attack asks of strangers */
    private solve: (puzzle: Puzzle) => Promise<unknown>,
  ) {
    this.token = token ?? null;
  }

  /** Opens the session or comes back to it; concurrent calls share one request. */
  open(): Promise<Session> {
    this.#opening ??= this.#enter().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #enter(): Promise<Session> {
    const visit = this.visit();
    const had = this.token;
    let session: Session;
    try {
      session = await this.#greet({ ...visit, ...(had && { visitor_token: had }) });
    } catch (error) {
      if (!had || !(error instanceof Refused) || error.status !== 401) throw error;
      session = await this.#greet(visit);
    }
    this.token = session.visitor_token;
    // a token that changes together with an identity is a rotation, not a refusal
    this.onSession(session, had !== null && had !== this.token && !visit.identity);
    return session;
  }

  async #greet(visit: object): Promise<Session> {
    const post = (body: object) => this.#request<Session>('POST', 'sessions', body, null);
    try {
      return await post(visit);
    } catch (error) {
      if (!(error instanceof Refused && error.puzzle)) throw error;
      return post({ ...visit, work: await this.solve(error.puzzle) });
    }
  }

  /** Sends a message; the same client_id twice is one message on the server. */
  send(client_id: string, text: string, attachments: string[]): Promise<{ id: string; seq: number }> {
    return this.#authorized('POST', 'messages', { client_id, text, attachments });
  }

  /** Everything after `seq`, oldest first; `more` when the page was not the last. With `wait` an empty answer comes late. */
  async after(seq: number, wait = false): Promise<{ items: Message[]; more: boolean } & Standing> {
    const page = await this.#authorized<{ items: Message[]; next_cursor?: string | null } & Standing>(
      'GET',
      'messages?after=' + seq + (wait ? '&wait=' + WAIT_SECS : ''),
    );
    return { ...page, more: !!page.next_cursor && page.items.length > 0 };
  }

  rate(score: number, comment: string): Promise<unknown> {
    return this.#authorized('POST', 'rating', { score, comment });
  }

  transcript(email: string): Promise<unknown> {
    return this.#authorized('POST', 'transcript', { email });
  }

  read(seq: number): Promise<unknown> {
    return this.#authorized('POST', 'read', { seq });
  }

  typing(text?: string): Promise<unknown> {
    return this.#authorized('POST', 'typing', { text });
  }

  /** Ends the talk. */
  end(): Promise<unknown> {
    return this.#authorized('POST', 'end');
  }

  /** Where a request of another part goes, and with which token. */
  async place(path: string): Promise<{ url: string; token: string }> {
    const token = this.token ?? (await this.open()).visitor_token;
    return { url: this.base + path, token };
  }

  /** A request with the visitor's token; a refused token is replaced once. */
  async #authorized<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = this.token ?? (await this.open()).visitor_token;
    try {
      return await this.#request<T>(method, path, body, token);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      await this.renew(token);
      return this.#request<T>(method, path, body, this.token);
    }
  }

  /** `refused` did not work: asks for the session again, unless somebody else already did. */
  async renew(refused: string | null): Promise<void> {
    if (this.token === refused || this.#opening) await this.open();
  }

  async #request<T>(method: string, path: string, body: unknown, token: string | null): Promise<T> {
    let response: Response;
    try {
      response = await fetch(this.base + path, {
        method,
        credentials: 'omit',
        cache: 'no-store',
        headers: {
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(token && { Authorization: 'Bearer ' + token }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS + (path.includes('wait') ? WAIT_SECS * 1000 : 0)),
      });
      if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
    } catch {
      throw new Refused(0);
    }
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; work?: Puzzle };
    throw new Refused(response.status, problem.detail, Number(response.headers.get('Retry-After')) || 0, problem.work);
  }
}
