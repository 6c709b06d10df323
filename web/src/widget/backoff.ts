/** Waiting times between attempts: they double from one second to half a minute. */

/** shortest wait, milliseconds */
export const FIRST_MS = 1_000;
/** longest wait, milliseconds */
export const LONGEST_MS = 30_000;

/**
 * Milliseconds to wait before attempt number `attempt` (0 = the first repeat).
 *
 * Half of the wait is random ("equal jitter"), so that all visitors of a server that restarts
 * do not come back in the same instant, and nobody comes back at once.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * random();
}
