/** `tools.js`: the menu of the panel, emoji, and sounds. They come when somebody asks for them. */
import { h } from './dom';
import type { Strings } from './strings';

/** What the menu can do. */
export interface Choices {
  sound: boolean;
  toggleSound(): void;
  /** ends the chat; absent when there is nothing to end */
  end?: () => Promise<boolean>;
  /** says something in the log */
  notice(text: string): void;
}

/** Opens the menu below its button, or shuts it. */
export function menu(button: HTMLButtonElement, words: Strings, choices: Choices): void {
  pop(button, 'mn', (shut) => {
    const item = (label: string, act: () => void, props = {}) =>
      h('button', { type: 'button', class: 'mi', onclick: act, ...props }, label);
    const box = h('div', { class: 'mn', role: 'group', 'aria-label': words.menu });
    const first = () => [
      item(
        words.sound,
        () => {
          choices.toggleSound();
          shut(true);
        },
        { 'aria-pressed': String(choices.sound), class: 'mi' + (choices.sound ? ' on' : '') },
      ),
      choices.end ? item(words.finish, ask) : null,
    ];
    const ask = () => {
      box.replaceChildren(
        h('p', {}, words.sure),
        item(words.yes, () => {
          shut(true);
          void choices.end?.().then((done) => choices.notice(done ? words.ended : words.failed));
        }),
        item(words.no, () => shut(true)),
      );
      box.querySelector('button')?.focus();
    };
    box.append(...first().filter((one) => one !== null));
    return box;
  });
}

/** Those that people send to a shop; a phone's keyboard has the others. */
const SIGNS = '😀 😂 🙂 😉 😊 😍 🤔 😐 😕 😢 😭 😡 👍 👎 👌 🙏 👏 💪 👋 🤝 ❤️ 🔥 🎉 ✅ ❌ ❓ ⭐ ☎️ 📦 🚚 💳 📎'.split(
  ' ',
);

/** Opens the choice of emoji above the field, or shuts it. */
export function emoji(
  before: HTMLElement,
  button: HTMLButtonElement,
  words: Strings,
  take: (sign: string) => void,
): void {
  pop(
    button,
    'em',
    (shut) => {
      const box = h('div', { class: 'em', role: 'group', 'aria-label': words.emoji });
      box.append(
        ...SIGNS.map((sign, at) =>
          h(
            'button',
            {
              type: 'button',
              tabindex: at ? -1 : 0,
              onclick: () => {
                shut(false);
                take(sign);
              },
            },
            sign,
          ),
        ),
      );
      // one stop for Tab, arrows inside
      box.addEventListener('keydown', (event) => {
        const buttons = [...box.querySelectorAll('button')];
        const row = Math.max(1, Math.floor(box.clientWidth / (buttons[0]?.offsetWidth || 40)));
        const forward = getComputedStyle(box).direction === 'rtl' ? -1 : 1;
        const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: row, ArrowUp: -row }[event.key];
        const at = buttons.indexOf(event.target as HTMLButtonElement);
        const next = step === undefined ? undefined : buttons[at + step];
        if (!next) return;
        event.preventDefault();
        for (const one of buttons) one.tabIndex = one === next ? 0 : -1;
        next.focus();
      });
      return box;
    },
    before,
  );
}

/** A box that belongs to a button: shut by the button, by Escape, and by a press elsewhere. */
function pop(
  button: HTMLButtonElement,
  name: string,
  make: (shut: (back: boolean) => void) => HTMLElement,
  before?: HTMLElement,
): void {
  const root = button.getRootNode() as ShadowRoot;
  const there = root.querySelector<HTMLElement & { shut?: (back: boolean) => void }>('.' + name);
  if (there) {
    there.shut?.(true);
    return;
  }
  const shut = (back: boolean) => {
    root.removeEventListener('pointerdown', outside);
    box.remove();
    button.setAttribute('aria-expanded', 'false');
    if (back) button.focus();
  };
  const outside = (event: Event) => {
    const target = event.target as Node;
    if (!box.contains(target) && !button.contains(target)) shut(false);
  };
  const box: HTMLElement & { shut?: (back: boolean) => void } = make(shut);
  box.shut = shut;
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    shut(true);
  });
  if (before) before.before(box);
  else button.after(box);
  button.setAttribute('aria-expanded', 'true');
  root.addEventListener('pointerdown', outside);
  box.querySelector('button')?.focus();
}

/** A short tone, made on the spot: no file to load, nothing for the site's policy to forbid. */
export function chime(): void {
  try {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.08, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.25);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.25);
    tone.onended = () => void audio.close();
  } catch {
    // no sound device, or not allowed before a click
  }
}

export const CSS = `
.mn{position:absolute;top:100%;inset-inline-end:8px;z-index:1;min-width:180px;max-width:calc(100% - 16px);padding:6px;display:grid;background:var(--surface);color:var(--text);border:1px solid var(--line);border-radius:12px;box-shadow:0 8px 24px #0004}
.mn p{padding:8px 10px;font-weight:600}
.mn :focus-visible,.em :focus-visible{outline-color:var(--focus);outline-offset:-2px}
.mi{min-height:40px;padding:8px 10px;text-align:start}
.mi:hover,.em button:hover{background:var(--sunk)}
.mi[aria-pressed]::before{content:"";display:inline-block;width:10px;height:10px;margin-inline-end:10px;border:2px solid var(--edge);border-radius:50%}
.mi.on::before{background:var(--focus);border-color:var(--focus)}
.em{display:grid;grid-template-columns:repeat(auto-fill,minmax(40px,1fr));max-height:172px;overflow:auto;padding:4px;margin-bottom:8px;border:1px solid var(--line);border-radius:12px}
.em button{height:40px;font:22px/1 "Apple Color Emoji","Segoe UI Emoji","Noto Color Emoji",sans-serif}
`;
