/** Sounds, desktop notifications, the title and the icon: how the app reaches a person who looks elsewhere. */

export type Tone = 'message' | 'assigned' | 'queued' | 'offer';

let audio: AudioContext | null = null;

/** Browsers let a page sound only after a gesture: call this from one. */
export function unlockAudio(): void {
  if (typeof AudioContext === 'undefined') return;
  audio ??= new AudioContext();
  if (audio.state === 'suspended') void audio.resume();
}

/** Frequencies in Hz, start in seconds: tones that can be told apart without looking. */
const TONES: Record<Tone, [number, number][]> = {
  message: [
    [740, 0],
    [988, 0.09],
  ],
  assigned: [
    [523, 0],
    [659, 0.11],
    [784, 0.22],
  ],
  queued: [[440, 0]],
  offer: [
    [880, 0],
    [659, 0.16],
    [880, 0.32],
    [659, 0.48],
  ],
};

export function play(tone: Tone): void {
  if (!audio || audio.state !== 'running') return;
  const now = audio.currentTime;
  for (const [frequency, start] of TONES[tone]) {
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.type = 'sine';
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, now + start);
    gain.gain.linearRampToValueAtTime(0.12, now + start + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, now + start + 0.32);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(now + start);
    oscillator.stop(now + start + 0.35);
  }
}

export function canAsk(): boolean {
  return typeof Notification !== 'undefined' && Notification.permission === 'default';
}

export async function ask(): Promise<boolean> {
  if (typeof Notification === 'undefined') return false;
  return (await Notification.requestPermission()) === 'granted';
}

export function granted(): boolean {
  return typeof Notification !== 'undefined' && Notification.permission === 'granted';
}

export function desktop(title: string, body: string, tag: string, onclick: () => void): void {
  if (!granted()) return;
  try {
    const n = new Notification(title, { body, tag, silent: true });
    n.onclick = () => {
      window.focus();
      onclick();
      n.close();
    };
  } catch {
    // Some phones only allow notifications from a service worker.
  }
}

/** True in one tab of this browser: the one that rings. Without Web Locks every tab does. */
export class Leader {
  leads = typeof navigator === 'undefined' || !('locks' in navigator);
  #release: (() => void) | undefined;
  #abort: AbortController | undefined;

  start(user: string): void {
    if (typeof navigator === 'undefined' || !('locks' in navigator)) return;
    this.stop();
    this.#abort = new AbortController();
    navigator.locks
      .request(`sb.ring.${user}`, { signal: this.#abort.signal }, () => {
        this.leads = true;
        return new Promise<void>((resolve) => (this.#release = resolve));
      })
      .catch(() => {});
  }

  stop(): void {
    this.#abort?.abort();
    this.#release?.();
    this.leads = false;
  }
}

/** `(3) Inbox · Switchboard` */
export function badgeTitle(title: string, unread: number): string {
  const base = title ? `${title} · Switchboard` : 'Switchboard';
  return unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${base}` : base;
}
