import { api } from '../api/client';
import type { Call, LogEvent, Page, Team } from '../api/types';
import { desktop, play } from '../core/notify';
import { t } from '../i18n/i18n.svelte';
import { knownLines, leader, store } from './live.svelte';
import { prefs } from './prefs.svelte';
import { go } from './router.svelte';
import { isSupervisor } from './session.svelte';

/** Calls that ring for the reader: the cards that say who it is before anybody has picked up. */

/** A card of which nothing more is heard goes by itself, in milliseconds. */
const FORGET = 4 * 60_000;

let ringing = $state.raw<Call[]>([]);
/** Cards that the reader has closed: what is told of the same ringing later does not bring them back. */
const closed = new Set<string>();
let timer: ReturnType<typeof setInterval> | undefined;
let run = 0;
/** The reader's teams; asked where what they see does not say already where they stand. */
let teams: ReadonlySet<string> = new Set();

/** Calls that ring now, the longest first. */
export function ringingCalls(): Call[] {
  return ringing;
}

/** Whether a call rings for this operator: for their own telephone, or for whoever of the line is there. */
export function ringsFor(call: Call, me: string | null): boolean {
  if (call.state !== 'ringing' || call.direction !== 'inbound' || call.merged_into) return false;
  if (call.ringing_for.length > 0) return call.ringing_for.includes(me ?? '');
  // Supervisors are told of every line's calls; it rings for them where they stand in the queue, alone or in a team.
  return (
    !isSupervisor() ||
    knownLines().some(
      (l) =>
        l.id === call.line_id &&
        l.queue.some((q) => ('operator_id' in q ? q.operator_id === me : 'team_id' in q && teams.has(q.team_id ?? ''))),
    )
  );
}

function set(next: Call[]): void {
  const known = new Set(ringing.map((c) => c.id));
  ringing = next.toSorted((a, b) => a.started_at.localeCompare(b.started_at));
  for (const c of ringing) if (!known.has(c.id)) announce(c);
  if (ringing.length) timer ??= setInterval(forgetOld, 5_000);
  else {
    clearInterval(timer);
    timer = undefined;
  }
}

function forgetOld(): void {
  const now = Date.now();
  const young = ringing.filter((c) => now - Date.parse(c.started_at) < FORGET);
  if (young.length < ringing.length) set(young);
}

function announce(c: Call): void {
  if (!leader.leads) return;
  if (prefs.sound) play('offer');
  if (!prefs.desktop || document.hasFocus()) return;
  desktop(callerName(c), t('call-notify', { number: c.own_label ?? c.own_number ?? '' }), c.id, () => openCall(c));
}

export function callerName(c: Call): string {
  return c.contact?.name ?? c.caller_name ?? c.number ?? t('call-hidden');
}

export function onCallEvent(e: LogEvent): void {
  if (e.type !== 'call.updated') return;
  const call = e.data;
  run += 1;
  const others = ringing.filter((c) => c.id !== call.id);
  if (call.state !== 'ringing') closed.delete(call.id);
  const shown = ringsFor(call, store.me) && !closed.has(call.id);
  if (shown || others.length < ringing.length) set(shown ? [...others, call] : others);
}

/** What rings when the app begins, or comes back. */
export async function loadCalls(): Promise<void> {
  const mine = ++run;
  try {
    const [{ items }, all] = await Promise.all([
      api.get<Page<Call>>('/calls', { state: 'ringing', limit: 20 }),
      isSupervisor() ? api.get<Page<Team>>('/teams', { limit: 200 }) : { items: [] },
    ]);
    teams = new Set(all.items.filter((team) => team.member_ids.includes(store.me ?? '')).map((team) => team.id));
    if (mine === run)
      set(
        items.filter(
          (c) => ringsFor(c, store.me) && !closed.has(c.id) && Date.now() - Date.parse(c.started_at) < FORGET,
        ),
      );
  } catch {
    // The next event, or the next connection, says it.
  }
}

export function forgetCalls(): void {
  run += 1;
  closed.clear();
  set([]);
}

export function closeCall(c: Call): void {
  closed.add(c.id);
  set(ringing.filter((x) => x.id !== c.id));
}

/** The client's conversation; of somebody who is nobody in particular, the list of calls. */
export function openCall(c: Call): void {
  closeCall(c);
  go(c.conversation_id ? `/inbox/all/${c.conversation_id}` : '/calls');
}
