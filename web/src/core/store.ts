import type { Conversation, Counts, LogEvent, Message, User } from '../api/types';
import { Signal } from './signal';

export type View = 'mine' | 'queue' | 'all' | 'closed';
export const VIEWS: readonly View[] = ['mine', 'queue', 'all', 'closed'];

export interface Filter {
  line?: string | undefined;
  channel?: string | undefined;
  operator?: string | undefined;
}

export interface ListState {
  view: View;
  filter: Filter;
  /** Conversation ids in the order of the view. */
  ids: string[];
  cursor: string | null;
  state: 'idle' | 'loading' | 'more' | 'ready' | 'error';
  error: unknown;
}

export interface Thread {
  items: Message[];
  /** There is more before the first item. */
  older: boolean;
  state: 'loading' | 'ready' | 'error';
  error: unknown;
}

/** Something a person may want to hear about. */
export type Nudge =
  | { type: 'assigned'; conversation: Conversation }
  | { type: 'message'; conversation: Conversation; message: Message }
  | { type: 'queued'; conversation: Conversation };

/** Does a conversation belong to a view, as the server's `?view=` would say? */
export function belongs(c: Conversation, view: View, filter: Filter, me: string): boolean {
  if (filter.line && c.line_id !== filter.line) return false;
  if (filter.channel && c.channel_id !== filter.channel) return false;
  if (filter.operator && c.session.operator_id !== filter.operator) return false;
  const state = c.session.state;
  switch (view) {
    case 'mine':
      // Out of sight until its time comes or the customer writes: then the server clears the date.
      return state === 'assigned' && c.session.operator_id === me && !c.snoozed_until;
    case 'queue':
      return state === 'waiting' || state === 'offered';
    case 'all':
      return state !== 'closed';
    case 'closed':
      return state === 'closed';
  }
}

/** After every due time. */
const NEVER = '9999';
const activity = (c: Conversation): string => c.last_message?.at ?? c.created_at;

/** Queue: most urgent, then due soonest, then longest waiting. Elsewhere: latest activity. Ids break ties, so the order is total. */
export function compareFor(view: View): (a: Conversation, b: Conversation) => number {
  if (view === 'queue') {
    return (a, b) =>
      b.priority - a.priority ||
      cmp(a.session.due_at ?? NEVER, b.session.due_at ?? NEVER) ||
      cmp(a.session.waiting_since, b.session.waiting_since) ||
      cmp(a.id, b.id);
  }
  return (a, b) => cmp(activity(b), activity(a)) || cmp(b.id, a.id);
}

function cmp(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `items` with `message` put in its place by `seq`; the same id is replaced. */
export function placeMessage(items: readonly Message[], message: Message): Message[] {
  const at = items.findIndex((m) => m.id === message.id);
  const next = items.slice();
  if (at >= 0) {
    next[at] = message;
    if (items[at]?.seq === message.seq) return next;
    // A merge gave it another place.
    next.splice(at, 1);
  }
  let i = next.length;
  while (i > 0 && (next[i - 1]?.seq ?? 0) > message.seq) i--;
  next.splice(i, 0, message);
  return next;
}

/**
 * Everything live that the app shows, keyed by id. Objects are replaced, never changed, so a view can compare by
 * identity. Signals are per subject: a message redraws one thread, not the list of people.
 */
export class Store {
  me = '';
  readonly conversations = new Map<string, Conversation>();
  readonly threads = new Map<string, Thread>();
  readonly people = new Map<string, User>();
  counts: Counts = { mine: 0, queue: 0, all: 0, unread_mine: 0 };
  list: ListState = { view: 'mine', filter: {}, ids: [], cursor: null, state: 'idle', error: null };
  /** Who is typing, by conversation; entries end by time. */
  readonly typing = new Map<string, { name: string; operator: boolean; text?: string | undefined; until: number }>();

  readonly listChanged = new Signal();
  readonly peopleChanged = new Signal();
  readonly countsChanged = new Signal();
  readonly typingChanged = new Signal();
  readonly nudge = new Signal<Nudge>();
  /** Every event, for screens that keep lists of their own (leads, channels). */
  readonly event = new Signal<LogEvent>();
  readonly #threadSignals = new Map<string, Signal>();
  readonly #conversationSignals = new Map<string, Signal>();

  threadChanged(id: string): Signal {
    return signalOf(this.#threadSignals, id);
  }

  conversationChanged(id: string): Signal {
    return signalOf(this.#conversationSignals, id);
  }

  reset(): void {
    this.conversations.clear();
    this.threads.clear();
    this.people.clear();
    this.typing.clear();
    this.list = { view: 'mine', filter: {}, ids: [], cursor: null, state: 'idle', error: null };
    this.counts = { mine: 0, queue: 0, all: 0, unread_mine: 0 };
  }

  /** Applies one batch of events with one round of signals. */
  apply(batch: readonly LogEvent[]): void {
    let list = false;
    let people = false;
    const threads = new Set<string>();
    const conversations = new Set<string>();
    const arrived: Message[] = [];
    const nudges: Nudge[] = [];
    for (const event of batch) {
      switch (event.type) {
        case 'message.created':
        case 'message.updated': {
          const m = event.data;
          const thread = this.threads.get(m.conversation_id);
          if (event.type === 'message.updated' && !thread?.items.some((known) => known.id === m.id))
            this.#leave(m, threads);
          if (thread) {
            this.threads.set(m.conversation_id, { ...thread, items: placeMessage(thread.items, m) });
            threads.add(m.conversation_id);
          }
          if (event.type === 'message.created') {
            if (m.kind === 'inbound') arrived.push(m);
            if (this.typing.get(m.conversation_id)?.operator === (m.author.type === 'operator')) {
              this.typing.delete(m.conversation_id);
              this.typingChanged.emit();
            }
          }
          break;
        }
        case 'conversation.updated': {
          const before = this.conversations.get(event.data.id);
          if (!this.#put(event.data)) break;
          conversations.add(event.data.id);
          list = true;
          const state = event.data.session.state;
          const mine = state === 'assigned' && event.data.session.operator_id === this.me;
          const wasMine = before?.session.state === 'assigned' && before.session.operator_id === this.me;
          if (mine && !wasMine) nudges.push({ type: 'assigned', conversation: event.data });
          else if (state === 'waiting' && before?.session.state !== 'waiting')
            nudges.push({ type: 'queued', conversation: event.data });
          break;
        }
        case 'conversation.removed':
          this.conversations.delete(event.data.id);
          this.threads.delete(event.data.id);
          conversations.add(event.data.id);
          list = true;
          break;
        case 'operator.updated':
          this.people.set(event.data.id, event.data);
          people = true;
          break;
      }
    }
    for (const m of arrived) {
      const conversation = this.conversations.get(m.conversation_id);
      const session = conversation?.session;
      if (conversation && session?.state === 'assigned' && session.operator_id === this.me) {
        if (!nudges.some((n) => n.type === 'assigned' && n.conversation.id === conversation.id))
          nudges.push({ type: 'message', conversation, message: m });
      }
    }
    if (list) this.#reorder(conversations);
    for (const id of conversations) this.#conversationSignals.get(id)?.emit();
    for (const id of threads) this.#threadSignals.get(id)?.emit();
    if (people) this.peopleChanged.emit();
    for (const n of nudges) this.nudge.emit(n);
    for (const event of batch) this.event.emit(event);
  }

  /** Stores the answer of an action or a GET. */
  putConversation(c: Conversation): void {
    if (!this.#put(c)) return;
    this.#reorder(new Set([c.id]));
    this.#conversationSignals.get(c.id)?.emit();
  }

  putMessage(m: Message): void {
    const thread = this.threads.get(m.conversation_id);
    if (!thread) return;
    this.threads.set(m.conversation_id, { ...thread, items: placeMessage(thread.items, m) });
    this.#threadSignals.get(m.conversation_id)?.emit();
  }

  /** A split or a merge took the message out of another thread. */
  #leave(m: Message, changed: Set<string>): void {
    for (const [id, thread] of this.threads) {
      if (id === m.conversation_id || !thread.items.some((known) => known.id === m.id)) continue;
      this.threads.set(id, { ...thread, items: thread.items.filter((known) => known.id !== m.id) });
      changed.add(id);
    }
  }

  /** An older state never replaces a newer one: answers and events race. */
  #put(c: Conversation): boolean {
    const known = this.conversations.get(c.id);
    if (known && known.version > c.version) return false;
    this.conversations.set(c.id, c);
    return true;
  }

  /** Begins a list: the rows stay until the first page is there when only a reload was asked for. */
  beginList(view: View, filter: Filter, keep: boolean): void {
    this.list = {
      view,
      filter,
      ids: keep ? this.list.ids : this.#sorted(view, filter),
      cursor: null,
      state: 'loading',
      error: null,
    };
    this.listChanged.emit();
  }

  fillList(items: readonly Conversation[], cursor: string | null, append: boolean): void {
    for (const c of items) this.#put(c);
    const { view, filter } = this.list;
    const ids = new Set(append ? this.list.ids : []);
    for (const c of items) ids.add(c.id);
    this.list = { ...this.list, ids: this.#order([...ids], view, filter), cursor, state: 'ready', error: null };
    this.listChanged.emit();
  }

  failList(error: unknown): void {
    this.list = { ...this.list, state: 'error', error };
    this.listChanged.emit();
  }

  busyList(): void {
    this.list = { ...this.list, state: 'more' };
    this.listChanged.emit();
  }

  setThread(id: string, thread: Thread): void {
    this.threads.set(id, thread);
    this.#threadSignals.get(id)?.emit();
  }

  setCounts(counts: Counts): void {
    this.counts = counts;
    this.countsChanged.emit();
  }

  setPeople(users: readonly User[]): void {
    this.people.clear();
    for (const u of users) this.people.set(u.id, u);
    this.peopleChanged.emit();
  }

  putPerson(user: User): void {
    this.people.set(user.id, user);
    this.peopleChanged.emit();
  }

  setTyping(conversationId: string, name: string, operator: boolean, text: string | undefined, now: number): void {
    this.typing.set(conversationId, { name, operator, text, until: now + 6_000 });
    this.typingChanged.emit();
  }

  /** Forgets those who stopped typing; true when somebody did. */
  expireTyping(now: number): boolean {
    let changed = false;
    for (const [id, entry] of this.typing) {
      if (entry.until <= now) {
        this.typing.delete(id);
        changed = true;
      }
    }
    if (changed) this.typingChanged.emit();
    return changed;
  }

  /** What is known already, so that switching views shows rows at once. */
  #sorted(view: View, filter: Filter): string[] {
    const ids: string[] = [];
    // Known closed conversations are a random sample of a long list: better to wait for the server.
    if (view !== 'closed') for (const c of this.conversations.values()) ids.push(c.id);
    return this.#order(ids, view, filter);
  }

  #order(ids: string[], view: View, filter: Filter): string[] {
    const rows: Conversation[] = [];
    for (const id of ids) {
      const c = this.conversations.get(id);
      if (c && belongs(c, view, filter, this.me)) rows.push(c);
    }
    return rows.sort(compareFor(view)).map((c) => c.id);
  }

  #reorder(changed: ReadonlySet<string>): void {
    const { view, filter } = this.list;
    const last = this.list.cursor ? this.conversations.get(this.list.ids.at(-1) ?? '') : undefined;
    const compare = compareFor(view);
    const ids = new Set(this.list.ids);
    for (const id of changed) {
      const c = this.conversations.get(id);
      if (!c || !belongs(c, view, filter, this.me)) ids.delete(id);
      // Beyond the last loaded row it belongs to a page that is not loaded yet.
      else if (!last || compare(c, last) <= 0) ids.add(id);
    }
    this.list = { ...this.list, ids: this.#order([...ids], view, filter) };
    this.listChanged.emit();
  }
}

function signalOf(map: Map<string, Signal>, id: string): Signal {
  let signal = map.get(id);
  if (!signal) {
    signal = new Signal();
    map.set(id, signal);
  }
  return signal;
}
