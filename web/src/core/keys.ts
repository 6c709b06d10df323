/** What an operator can do by key. Names are also the keys of their descriptions. */
export type Command =
  | 'next'
  | 'previous'
  | 'open'
  | 'take'
  | 'accept'
  | 'decline'
  | 'open-call'
  | 'close-call'
  | 'close'
  | 'reply'
  | 'reply-all'
  | 'forward'
  | 'answer'
  | 'edit-last'
  | 'delete-last'
  | 'note'
  | 'transfer'
  | 'tags'
  | 'task'
  | 'priority'
  | 'unread-next'
  | 'unread-previous'
  | 'palette'
  | 'search'
  | 'card'
  | 'nav'
  | 'help'
  | 'go-inbox'
  | 'go-queue'
  | 'go-all'
  | 'go-contacts'
  | 'go-leads'
  | 'go-wall'
  | 'go-settings';

export interface Binding {
  command: Command;
  /** `KeyboardEvent.code` values pressed one after another. */
  codes: string[];
  alt?: boolean;
  shift?: boolean;
  /** Ctrl, or Cmd on a Mac. Such a binding works while typing too. */
  mod?: boolean;
  /** How it is written for people. */
  label: string;
}

export const BINDINGS: readonly Binding[] = [
  { command: 'next', codes: ['KeyJ'], label: 'J' },
  { command: 'previous', codes: ['KeyK'], label: 'K' },
  { command: 'open', codes: ['KeyO'], label: 'O' },
  { command: 'take', codes: ['KeyI'], label: 'I' },
  { command: 'accept', codes: ['KeyA'], alt: true, label: 'Alt A' },
  { command: 'decline', codes: ['KeyX'], alt: true, label: 'Alt X' },
  { command: 'open-call', codes: ['KeyO'], alt: true, label: 'Alt O' },
  { command: 'close-call', codes: ['KeyK'], alt: true, label: 'Alt K' },
  { command: 'close', codes: ['KeyE'], label: 'E' },
  { command: 'reply', codes: ['KeyR'], label: 'R' },
  { command: 'reply-all', codes: ['KeyA'], label: 'A' },
  { command: 'forward', codes: ['KeyF'], label: 'F' },
  { command: 'answer', codes: ['KeyQ'], label: 'Q' },
  { command: 'edit-last', codes: ['KeyM'], label: 'M' },
  { command: 'delete-last', codes: ['KeyM'], shift: true, label: 'Shift M' },
  { command: 'note', codes: ['KeyN'], label: 'N' },
  { command: 'transfer', codes: ['KeyT'], label: 'T' },
  { command: 'tags', codes: ['KeyL'], label: 'L' },
  { command: 'task', codes: ['KeyD'], label: 'D' },
  { command: 'priority', codes: ['KeyP'], label: 'P' },
  { command: 'unread-next', codes: ['ArrowDown'], alt: true, label: 'Alt ↓' },
  { command: 'unread-previous', codes: ['ArrowUp'], alt: true, label: 'Alt ↑' },
  { command: 'palette', codes: ['KeyK'], mod: true, label: 'Ctrl K' },
  { command: 'search', codes: ['Slash'], label: '/' },
  { command: 'card', codes: ['BracketRight'], label: ']' },
  { command: 'nav', codes: ['BracketLeft'], label: '[' },
  { command: 'help', codes: ['Slash'], shift: true, label: '?' },
  { command: 'go-inbox', codes: ['KeyG', 'KeyI'], label: 'G I' },
  { command: 'go-queue', codes: ['KeyG', 'KeyQ'], label: 'G Q' },
  { command: 'go-all', codes: ['KeyG', 'KeyA'], label: 'G A' },
  { command: 'go-contacts', codes: ['KeyG', 'KeyC'], label: 'G C' },
  { command: 'go-leads', codes: ['KeyG', 'KeyL'], label: 'G L' },
  { command: 'go-wall', codes: ['KeyG', 'KeyW'], label: 'G W' },
  { command: 'go-settings', codes: ['KeyG', 'KeyS'], label: 'G S' },
];

export interface KeyLike {
  code: string;
  altKey: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  repeat?: boolean;
  isComposing?: boolean;
}

const SEQUENCE_MS = 1_200;

/**
 * Turns key presses into commands. Keys are matched by their place (`code`), so that they work on Cyrillic and other
 * layouts. Single keys are off while typing and when the user has switched them off (WCAG 2.1.4).
 */
export class Keymap {
  #pending: { code: string; at: number } | null = null;

  constructor(public singleKeys = true) {}

  match(event: KeyLike, typing: boolean, now: number): Command | null {
    if (event.isComposing) return null;
    const mod = event.ctrlKey || event.metaKey;
    const plain = !mod && !event.altKey;
    if (plain && (typing || !this.singleKeys)) return null;
    const first = this.#pending && now - this.#pending.at < SEQUENCE_MS ? this.#pending.code : null;
    this.#pending = null;
    const fits = (b: Binding) =>
      Boolean(b.mod) === mod && Boolean(b.alt) === event.altKey && (mod || Boolean(b.shift) === event.shiftKey);
    if (first) {
      const two = BINDINGS.find(
        (b) => b.codes.length === 2 && b.codes[0] === first && b.codes[1] === event.code && fits(b),
      );
      if (two) return two.command;
    }
    const one = BINDINGS.find((b) => b.codes.length === 1 && b.codes[0] === event.code && fits(b));
    if (one) return one.command;
    if (BINDINGS.some((b) => b.codes.length === 2 && b.codes[0] === event.code && fits(b)))
      this.#pending = { code: event.code, at: now };
    return null;
  }
}

/** Is the key meant for a field? */
export function isTypingTarget(target: EventTarget | null): boolean {
  const el = target as (HTMLElement & { type?: string }) | null;
  if (!el || typeof el.tagName !== 'string') return false;
  if (el.isContentEditable) return true;
  if (el.tagName === 'TEXTAREA' || el.tagName === 'SELECT') return true;
  return (
    el.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'range', 'file'].includes(el.type ?? 'text')
  );
}
