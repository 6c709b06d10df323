import { api, ApiError } from '../api/client';
import type { Conversation, LogEvent, StandingOffer } from '../api/types';
import { desktop, play } from '../core/notify';
import { t } from '../i18n/i18n.svelte';
import { act, leader, store } from './live.svelte';
import { prefs } from './prefs.svelte';
import { go } from './router.svelte';
import { toast, toastError } from './toast.svelte';

/** What the reader is asked to take, and until when: the cards that ring. */

/** Rings again this often while something stands, in milliseconds. */
const RING_EVERY = 3_000;
const TICK = 250;

let offers = $state.raw<StandingOffer[]>([]);
let now = $state(Date.now());
/** The server's clock minus ours: deadlines are the server's. */
let skew = 0;
let ticking: ReturnType<typeof setInterval> | undefined;
let rang = 0;
let run = 0;

/** Open offers, the most urgent first. */
export function standing(): StandingOffer[] {
  return offers;
}

/** Whole seconds until an offer lapses. */
export function secondsLeft(offer: StandingOffer): number {
  return Math.max(0, Math.ceil((Date.parse(offer.expires_at) - now - skew) / 1_000));
}

/** The part of its time that is left, from 1 to 0. */
export function partLeft(offer: StandingOffer): number {
  const whole = Date.parse(offer.expires_at) - Date.parse(offer.offered_at);
  return Math.max(0, Math.min(1, (Date.parse(offer.expires_at) - now - skew) / Math.max(1, whole)));
}

function set(next: StandingOffer[]): void {
  const known = new Set(offers.map((o) => o.id));
  offers = next.toSorted((a, b) => a.expires_at.localeCompare(b.expires_at));
  now = Date.now();
  for (const o of offers) if (!known.has(o.id)) announce(o);
  if (offers.length && !ticking) ticking = setInterval(tick, TICK);
  if (!offers.length) stopTicking();
}

function tick(): void {
  now = Date.now();
  // The server ends them too; a card whose time is up must not invite a click that comes too late.
  if (offers.some((o) => secondsLeft(o) === 0)) set(offers.filter((o) => secondsLeft(o) > 0));
  else if (now - rang >= RING_EVERY) ring();
}

function ring(): void {
  rang = Date.now();
  if (prefs.sound && leader.leads) play('offer');
}

function announce(o: StandingOffer): void {
  ring();
  if (!prefs.desktop || !leader.leads || document.hasFocus()) return;
  const name = o.conversation.contact.name ?? t('unnamed-contact');
  desktop(name, t('notify-offer', { line: o.conversation.line_name }), o.id, () =>
    go(`/inbox/queue/${o.conversation_id}`),
  );
}

function stopTicking(): void {
  clearInterval(ticking);
  ticking = undefined;
}

export async function loadOffers(): Promise<void> {
  const mine = ++run;
  try {
    const { items } = await api.get<{ items: StandingOffer[] }>('/offers');
    if (mine === run) set(items);
  } catch {
    // The next offer, or the next connection, asks again.
  }
}

export function onOfferEvent(e: LogEvent): void {
  if (e.type === 'offer.created' && e.data.operator_id === store.me) {
    skew = Date.parse(e.at) - Date.now();
    void loadOffers();
  } else if (e.type === 'offer.ended' && offers.some((o) => o.id === e.data.id)) {
    run += 1;
    set(offers.filter((o) => o.id !== e.data.id));
  }
}

export function forgetOffers(): void {
  run += 1;
  stopTicking();
  offers = [];
}

async function answer(o: StandingOffer, action: 'accept' | 'decline', body: unknown): Promise<Conversation | null> {
  try {
    const after = await act(o.conversation_id, action, body);
    set(offers.filter((x) => x.id !== o.id));
    return after;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409 && error.code !== 'at-capacity') {
      toast(t('offer-late'), { tone: 'error' });
      void loadOffers();
    } else toastError(error);
    return null;
  }
}

/** Yes: the conversation is the reader's, and open. */
export async function acceptOffer(o: StandingOffer): Promise<void> {
  if (await answer(o, 'accept', {})) go(`/inbox/mine/${o.conversation_id}`);
}

/** No, perhaps with a reason for the supervisors. */
export async function declineOffer(o: StandingOffer, reason: string): Promise<void> {
  await answer(o, 'decline', { reason: reason.trim() || null });
}
