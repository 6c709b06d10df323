/**
 * First-party attribution: where a browser came from, the first time and the last time.
 *
 * It is read from the address and the referrer of the page only, kept in the localStorage of the
 * site itself, and sent nowhere before the visitor opens the chat. A site that does not want it
 * sets `data-attribution="off"`.
 */
import type { Attribution, Touch } from './types';

const KEY = 'switchboard:from';
/** A first touch older than this says nothing about today's visit: 90 days in milliseconds. */
const FORGET_MS = 7_776_000_000;
/** Longer values are cut: they are noise or an attack on storage. */
const LONGEST = 500;
const KNOWN = /^(utm_\w{1,40}|\w*clk?id|[gw]braid|li_fat_id|epik|(rdt_|sc)cid)$/;

/** The touch that this page view is, and whether it came from somewhere (a campaign or another site). */
export function touch(url: string, referrer: string, now: number): { touch: Touch; arrived: boolean } {
  const found: Touch = {};
  let arrived = false;
  const page = new URL(url);
  const keep = (name: string, value: string) => {
    found[name] = value.slice(0, LONGEST);
    arrived = true;
  };
  page.searchParams.forEach((value, name) => value && KNOWN.test(name) && keep(name, value));
  const from = referrer.split('/')[2];
  if (from && from !== page.host) keep('referrer', referrer);
  found.landing_page = (url.split('#')[0] as string).slice(0, LONGEST);
  found.at = new Date(now).toISOString();
  return { touch: found, arrived };
}

/**
 * Joins this page view to what is known: the first touch stays until it is too old,
 * the last one changes only when the visitor arrived from somewhere again.
 */
export function join(known: Attribution | null, url: string, referrer: string, now: number): Attribution {
  const { touch: current, arrived } = touch(url, referrer, now);
  if (!known || !(now - Date.parse(known.first?.at ?? '') < FORGET_MS)) return { first: current, last: current };
  return { first: known.first, last: arrived ? current : known.last };
}

/** What the site's storage holds under `name`; nothing when it is refused or unreadable. */
export function recall<T>(name: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(name) ?? 'null') as T | null;
  } catch {
    return null;
  }
}

/** Records this page view and answers what is known; works without storage, then for this page only. */
export function record(url: string, referrer: string, now: number): Attribution {
  const next = join(recall(KEY), url, referrer, now);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // private mode or a full storage: the touch lives as long as the page
  }
  return next;
}
