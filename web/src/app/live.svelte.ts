import { api, ApiError, request } from '../api/client';
import type { Conversation, Counts, Line, LogEvent, Message, Page, User, VisitorFrame } from '../api/types';
import { Drafts } from '../core/drafts';
import { Idle } from '../core/idle';
import { Leader, desktop, play, type Tone } from '../core/notify';
import { Outbox } from '../core/outbox';
import { Store, type Filter, type Nudge, type View } from '../core/store';
import { Realtime, browserHost, type LinkState } from '../core/ws';
import { t } from '../i18n/i18n.svelte';
import { forgetCalls, loadCalls, onCallEvent } from './calls.svelte';
import { fetchAll } from './loader.svelte';
import { forgetOffers, loadOffers, onOfferEvent } from './offers.svelte';
import { prefs } from './prefs.svelte';
import { go } from './router.svelte';
import { loadWorkOptions, may, me, session, setMe, signedOut, workOptions } from './session.svelte';
import { countTasks } from './tasks.svelte';
import { explain } from './toast.svelte';

/** The one place where store, socket, outbox and server meet. */

export const store = new Store();
export const leader = new Leader();
export const drafts = new Drafts(localStorage, () => store.me);

let link = $state<LinkState>('stopped');
let banner = $state(false);
let bannerTimer: ReturnType<typeof setTimeout> | undefined;
let lines = $state.raw<Line[]>([]);

export function linkState(): LinkState {
  return link;
}

/** True when the connection has been gone for longer than a blink. */
export function showBanner(): boolean {
  return banner;
}

export function knownLines(): Line[] {
  return lines;
}

export function lineName(id: string | null | undefined): string {
  return lines.find((l) => l.id === id)?.name ?? '';
}

export async function reloadLines(): Promise<void> {
  try {
    lines = await fetchAll<Line>('/lines');
  } catch {
    // Names then come with each conversation; filters are simply absent.
  }
}

export const outbox = new Outbox({
  storage: localStorage,
  send: (e) =>
    request<Message>('POST', `/conversations/${e.conversation_id}/messages`, {
      body: {
        text: e.text,
        kind: e.kind,
        client_id: e.client_id,
        attachments: e.attachments.map((a) => a.id),
        ...e.extra,
      },
      timeout: 20_000,
    }),
  explain: (error) => {
    // Signed out is no fault of the message: it waits for the next sign-in.
    if (error instanceof ApiError)
      return {
        transient: error.transient || error.status === 401,
        reason: explain(error),
        retryAfter: error.retryAfter,
      };
    return { transient: false, reason: explain(error), retryAfter: null };
  },
  now: Date.now,
});
outbox.sent.subscribe((m) => {
  store.putMessage(m);
  // The server answers, so a socket that waits for its next try need not.
  realtime.nudge();
});

const realtime = new Realtime(browserHost(), {
  events: (batch) => onEvents(batch),
  typing: (frame) => {
    if (frame.author.id === store.me) return;
    store.setTyping(
      frame.conversation_id,
      frame.author.name ?? '',
      frame.author.type === 'operator',
      frame.text,
      Date.now(),
    );
    setTimeout(() => store.expireTyping(Date.now()), 6_100);
  },
  visitor: (frame) => (visitorNow = frame),
  hello: (reload) => {
    if (reload) void reloadAll();
    outbox.flush();
  },
  state: (state) => {
    link = state;
    if (state === 'open' || state === 'stopped') {
      clearTimeout(bannerTimer);
      bannerTimer = undefined;
      banner = false;
    } else {
      bannerTimer ??= setTimeout(() => (banner = true), 1_500);
    }
  },
  signedOut: () => signedOut(),
});

function onEvents(batch: LogEvent[]): void {
  for (const e of batch) {
    if (e.type === 'message.created' && e.data.client_id) outbox.confirm(e.data.client_id);
    if (e.type === 'operator.updated' && e.data.id === store.me) setMe(e.data);
    if (e.type === 'offer.created' || e.type === 'offer.ended') onOfferEvent(e);
    if (e.type === 'call.updated') onCallEvent(e);
    if (e.type === 'webhook.updated')
      void import('../features/webhooks/notice').then((m) => m.webhookNotice(e.data)).catch(() => {});
    if (e.type === 'crm.updated')
      void import('../features/crm/notice').then((m) => m.crmNotice(e.data)).catch(() => {});
  }
  store.apply(batch);
  if (batch.some((e) => e.type === 'conversation.updated' || e.type === 'conversation.removed')) refreshCounts();
}

// ---- lists ---------------------------------------------------------------------------------------------------------

const PAGE = 60;
let listRun = 0;

export async function openList(view: View, filter: Filter): Promise<void> {
  const same = store.list.view === view && JSON.stringify(store.list.filter) === JSON.stringify(filter);
  if (same && store.list.state !== 'error' && store.list.state !== 'idle') return;
  await loadList(view, filter, same);
}

async function loadList(view: View, filter: Filter, keep: boolean): Promise<void> {
  const run = ++listRun;
  store.beginList(view, filter, keep);
  try {
    const page = await api.get<Page<Conversation>>('/conversations', { view, ...filter, limit: PAGE });
    if (run === listRun) store.fillList(page.items, page.next_cursor ?? null, false);
  } catch (error) {
    if (run === listRun) store.failList(error);
  }
}

export function retryList(): Promise<void> {
  return loadList(store.list.view, store.list.filter, true);
}

export async function moreList(): Promise<void> {
  const { cursor, state, view, filter } = store.list;
  if (!cursor || state !== 'ready') return;
  const run = listRun;
  store.busyList();
  try {
    const page = await api.get<Page<Conversation>>('/conversations', { view, ...filter, limit: PAGE, cursor });
    if (run === listRun) store.fillList(page.items, page.next_cursor ?? null, true);
  } catch (error) {
    if (run === listRun) store.failList(error);
  }
}

let countsTimer: ReturnType<typeof setTimeout> | undefined;
let countsAgain = false;

/** At most once in a second and a half, however many events arrive; the last change is always counted. */
export function refreshCounts(delay = 400): void {
  if (countsTimer) {
    countsAgain = true;
    return;
  }
  countsTimer = setTimeout(async () => {
    countsAgain = false;
    try {
      store.setCounts(await api.get<Counts>('/conversations/counts'));
    } catch {
      // The next event asks again.
    }
    countsTimer = setTimeout(() => {
      countsTimer = undefined;
      if (countsAgain) refreshCounts(0);
    }, 1_100);
  }, delay);
}

// ---- threads -------------------------------------------------------------------------------------------------------

const MESSAGES = 50;
/** Threads kept in memory; the least recently opened ones go first. */
const KEPT_THREADS = 30;

export async function openThread(id: string): Promise<void> {
  const known = store.threads.get(id);
  if (known && known.state !== 'error') {
    // Moved to the end: most recently used.
    store.threads.delete(id);
    store.threads.set(id, known);
    return;
  }
  for (const old of store.threads.keys()) {
    if (store.threads.size < KEPT_THREADS) break;
    store.threads.delete(old);
  }
  await loadThread(id);
}

export async function loadThread(id: string): Promise<void> {
  const before = store.threads.get(id);
  store.setThread(id, { items: before?.items ?? [], older: false, state: 'loading', error: null });
  try {
    const [conversation, page] = await Promise.all([
      api.get<Conversation>(`/conversations/${id}`),
      api.get<Page<Message>>(`/conversations/${id}/messages`, { limit: MESSAGES }),
    ]);
    store.putConversation(conversation);
    // Events that arrived while the page was under way stay.
    const newest = page.items.at(-1)?.seq ?? 0;
    const later = (store.threads.get(id)?.items ?? []).filter((m) => m.seq > newest);
    store.setThread(id, {
      items: [...page.items, ...later],
      older: Boolean(page.next_cursor),
      state: 'ready',
      error: null,
    });
  } catch (error) {
    store.setThread(id, { items: before?.items ?? [], older: false, state: 'error', error });
  }
}

const olderRuns = new Set<string>();

export async function olderMessages(id: string): Promise<void> {
  const thread = store.threads.get(id);
  const first = thread?.items[0];
  if (!thread?.older || !first || olderRuns.has(id)) return;
  olderRuns.add(id);
  try {
    const page = await api.get<Page<Message>>(`/conversations/${id}/messages`, {
      before_seq: first.seq,
      limit: MESSAGES,
    });
    const now = store.threads.get(id);
    if (!now) return;
    const known = new Set(now.items.map((m) => m.id));
    store.setThread(id, {
      ...now,
      items: [...page.items.filter((m) => !known.has(m.id)), ...now.items],
      older: Boolean(page.next_cursor) && page.items.length > 0,
    });
  } finally {
    olderRuns.delete(id);
  }
}

/** After a gap: what is shown is fetched again; what is not shown is forgotten. */
async function reloadAll(): Promise<void> {
  const open = openId;
  for (const id of [...store.threads.keys()]) if (id !== open) store.threads.delete(id);
  refreshCounts(0);
  countTasks(0);
  void loadOffers();
  void loadCalls();
  void loadPeople();
  void reloadLines();
  await Promise.all([store.list.state === 'idle' ? null : retryList(), open ? loadThread(open) : null]);
}

let openId: string | null = null;

export function setOpen(id: string | null): void {
  openId = id;
}

const readRuns = new Set<string>();

/** Tells the server that the open conversation has been seen up to its last message. */
export async function markRead(conversation: Conversation): Promise<void> {
  if (conversation.unread === 0 || readRuns.has(conversation.id)) return;
  const seq = store.threads.get(conversation.id)?.items.at(-1)?.seq;
  if (seq === undefined || seq <= conversation.read_seq) return;
  readRuns.add(conversation.id);
  try {
    if (!may('conversation', 'edit')) return;
    store.putConversation(await api.post<Conversation>(`/conversations/${conversation.id}/read`, { seq }));
    refreshCounts();
  } catch {
    // Seen again at the next message or focus.
  } finally {
    // A pause even after success, so that a server that keeps the count cannot make a loop.
    setTimeout(() => readRuns.delete(conversation.id), 800);
  }
}

export async function act(id: string, action: string, body: unknown = {}): Promise<Conversation> {
  const c = await api.post<Conversation>(`/conversations/${id}/${action}`, body);
  store.putConversation(c);
  refreshCounts();
  return c;
}

/** Joins a conversation (`hidden`: the client sees neither the person nor what they write), or changes how. */
export function join(id: string, hidden: boolean): Promise<Conversation> {
  return act(id, 'participants', { hidden });
}

/** Takes a participant out. Whoever takes themselves out may lose sight of the conversation. */
export async function removeParticipant(id: string, operatorId: string): Promise<void> {
  store.putConversation(await api.delete<Conversation>(`/conversations/${id}/participants/${operatorId}`));
  refreshCounts();
}

/** What the socket said last of the visitor who is watched. */
let visitorNow = $state.raw<VisitorFrame['data'] | null>(null);
export const visitorSeen = () => visitorNow;

/** Watches the visitor of a conversation; answers how to stop. */
export function watchVisitor(conversationId: string): () => void {
  visitorNow = null;
  realtime.watch(conversationId);
  return () => realtime.watch(null);
}

let lastTyping = 0;

export function sendTyping(conversationId: string): void {
  const now = Date.now();
  if (now - lastTyping < 2_500) return;
  lastTyping = now;
  realtime.typing(conversationId);
}

// ---- people --------------------------------------------------------------------------------------------------------

async function loadPeople(): Promise<void> {
  try {
    store.setPeople(await fetchAll<User>('/users'));
  } catch {
    store.setPeople([me()]);
  }
}

export function personName(id: string | null | undefined): string {
  if (!id) return '';
  return store.people.get(id)?.name ?? t('someone');
}

// ---- attention -----------------------------------------------------------------------------------------------------

function onNudge(nudge: Nudge): void {
  const c = nudge.conversation;
  const looking = document.visibilityState === 'visible' && document.hasFocus() && openId === c.id;
  if (looking || !leader.leads) return;
  const user = session().kind === 'in' ? me() : null;
  if (nudge.type === 'queued' && user?.availability !== 'accepting') return;
  const tone: Tone = nudge.type === 'queued' ? 'queued' : nudge.type;
  if (prefs.sound) play(tone);
  if (!prefs.desktop || nudge.type === 'queued' || document.hasFocus()) return;
  const name = c.contact.name ?? t('unnamed-contact');
  const body =
    nudge.type === 'message' ? nudge.message.text || t('attachment') : t('notify-assigned', { line: c.line_name });
  desktop(name, body.slice(0, 140), c.id, () => go(`/inbox/mine/${c.id}`));
}

const idle = new Idle(
  {
    now: Date.now,
    later: (task, ms) => {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
  },
  (away) => realtime.setAway(away),
);
const onInput = () => idle.input();

/** By the choice of this browser, or else of the server. */
export function startIdle(): void {
  idle.start((prefs.awayMinutes ?? workOptions().away_after_secs / 60) * 60_000);
}

const onOnline = () => {
  realtime.nudge();
  outbox.flush();
};
const onVisible = () => {
  if (document.visibilityState === 'visible') {
    // Whoever comes back to this window sits at it.
    idle.input();
    realtime.nudge();
    realtime.flush();
  }
};
let offNudge: (() => void) | undefined;

export function startLive(user: User): () => void {
  store.reset();
  store.me = user.id;
  store.setPeople([user]);
  outbox.start(user.id);
  leader.start(user.id);
  realtime.start();
  // A socket that cannot be opened must not leave the window empty: `hello` loads this otherwise.
  const fallback = setTimeout(() => {
    if (link !== 'open') void reloadAll();
  }, 1_000);
  offNudge = store.nudge.subscribe(onNudge);
  startIdle();
  void loadWorkOptions().then(startIdle);
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'scroll'] as const)
    addEventListener(type, onInput, { passive: true, capture: true });
  addEventListener('online', onOnline);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    clearTimeout(fallback);
    idle.stop();
    offNudge?.();
    for (const type of ['pointerdown', 'pointermove', 'keydown', 'scroll'] as const)
      removeEventListener(type, onInput, { capture: true });
    removeEventListener('online', onOnline);
    document.removeEventListener('visibilitychange', onVisible);
    realtime.stop();
    outbox.stop();
    leader.stop();
    forgetOffers();
    forgetCalls();
    store.reset();
  };
}
