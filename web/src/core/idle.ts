/** Milliseconds until nobody is thought to sit at a window that was last touched at `lastInput`; none are left: away. */
export function idleLeft(lastInput: number, now: number, afterMs: number): number {
  // A clock that was set back must not make a window awake for hours.
  return Math.min(afterMs, Math.max(0, lastInput + afterMs - now));
}

export interface IdleHost {
  now: () => number;
  /** Runs a task later; answers what takes it back. */
  later: (task: () => void, ms: number) => () => void;
}

/**
 * Tells when nobody has touched this window for a while, and when somebody does again. Each window speaks for itself:
 * the server believes the best of them, so one that lies behind another does no harm.
 */
export class Idle {
  #lastInput = 0;
  #afterMs = 0;
  #away = false;
  #cancel: (() => void) | undefined;

  constructor(
    private readonly host: IdleHost,
    private readonly on: (away: boolean) => void,
  ) {}

  /** Begins, or goes on with another time; counts as a touch. */
  start(afterMs: number): void {
    this.#afterMs = afterMs;
    this.stop();
    this.#lastInput = this.host.now();
    this.#say(false);
    this.#look();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Somebody touched it. Called by the hundred: only the first after a pause does more than note the time. */
  input(): void {
    this.#lastInput = this.host.now();
    if (!this.#away || !this.#afterMs) return;
    this.#say(false);
    this.#look();
  }

  #look(): void {
    this.stop();
    const left = idleLeft(this.#lastInput, this.host.now(), this.#afterMs);
    if (left === 0) this.#say(true);
    else this.#cancel = this.host.later(() => this.#look(), left);
  }

  #say(away: boolean): void {
    this.#away = away;
    this.on(away);
  }
}
