/** Where the visitor writes: text, and what goes with it. Files come with `files.js`, emoji with `tools.js`. */
import type { Chat } from './chat';
import { h, icon } from './dom';
import type { Uploads } from './files';
import type { Loaded } from './parts';
import { fill, type Strings } from './strings';

/** Limit when the channel does not tell its own, characters. */
const TEXT_CHARS = 10_000;

export class Composer {
  readonly element: HTMLElement;
  readonly field: HTMLTextAreaElement;
  #errors: HTMLElement;
  #picker: HTMLInputElement;
  #go: HTMLButtonElement;
  #clip: HTMLButtonElement;
  #face: HTMLButtonElement;
  #box: HTMLElement;
  #uploads: Uploads | undefined;

  constructor(
    private chat: Chat,
    private parts: Loaded,
    private words: () => Strings,
    private locale: () => string,
    private sent: () => void,
  ) {
    this.field = h('textarea', { rows: 1, autocomplete: 'off', enterkeyhint: 'send' });
    this.field.addEventListener('input', () => this.#edited());
    this.field.addEventListener('keydown', (event) => {
      // 229: an input method is composing; its Enter chooses a word
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    });
    this.field.addEventListener('paste', (event) => {
      const files = event.clipboardData?.files;
      if (!files?.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.#picker = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1 });
    this.#picker.addEventListener('change', () => {
      this.add([...(this.#picker.files ?? [])]);
      this.#picker.value = '';
    });
    this.#clip = h('button', { class: 'i', type: 'button', onclick: () => this.#picker.click() }, icon('clip'));
    this.#face = h(
      'button',
      {
        class: 'i',
        type: 'button',
        'aria-expanded': 'false',
        onclick: () =>
          this.parts.use('tools', (tools) =>
            tools.emoji(this.#box, this.#face, this.words(), (sign) => this.insert(sign)),
          ),
      },
      icon('face'),
    );
    this.#go = h('button', { class: 'i s', type: 'button', onclick: () => this.#submit() }, icon('send'));
    this.#errors = h('p', { class: 'er', role: 'alert', hidden: true });
    this.#box = h('div', { class: 'bx' }, this.#clip, this.#picker, this.field, this.#face, this.#go);
    this.element = h('div', { class: 'cp' }, this.#errors, this.#box);
    this.#check();
  }

  /** Puts the texts of the language. */
  translate(): void {
    const words = this.words();
    this.field.placeholder = words.write;
    this.field.setAttribute('aria-label', words.write);
    for (const [button, label] of [
      [this.#clip, words.attach],
      [this.#face, words.emoji],
      [this.#go, words.send],
    ] as const) {
      button.setAttribute('aria-label', label);
      button.title = label;
    }
    this.#check();
  }

  /** What is written changed. */
  #edited(): void {
    this.#grow();
    this.chat.typing(this.field.value);
    this.#check();
  }

  /** Puts text where the cursor is. */
  insert(text: string): void {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, 'end');
    this.#edited();
    this.field.focus({ preventScroll: true });
  }

  /** Takes files from the picker, the clipboard or a drop; each begins to upload at once. */
  add(files: Iterable<File>): void {
    const taken = [...files];
    this.parts.use('files', (part) => {
      this.#uploads ??= new part.Uploads({
        words: this.words,
        locale: this.locale,
        limit: () => this.chat.settings.max_upload_bytes,
        place: () => this.chat.client.place('attachments'),
        renew: (token) => this.chat.client.renew(token),
        complain: (text) => this.#complain(text),
        changed: () => this.#check(),
        removed: () => this.field.focus(),
      });
      this.#box.before(this.#uploads.element);
      this.#uploads.add(taken);
    });
  }

  #complain(text: string): void {
    this.#errors.textContent = text;
    this.#errors.hidden = !text;
  }

  /** How far the text is over the limit of the channel; characters as the server counts them. */
  get #excess(): number {
    return [...this.field.value.trim()].length - (this.chat.settings.max_text_chars ?? TEXT_CHARS);
  }

  #check(): boolean {
    const excess = this.#excess;
    const uploads = this.#uploads;
    if (excess > 0) this.#complain(fill(this.words().long, { n: excess }));
    else if (this.field.dataset.long) this.#complain('');
    this.field.dataset.long = excess > 0 ? '1' : '';
    const ready =
      (!!this.field.value.trim() || !!uploads?.done.length) &&
      (!uploads || uploads.settled) &&
      excess <= 0 &&
      !this.chat.refused;
    // not "disabled": a button that disappears from the keyboard's order would lose the focus
    this.#go.setAttribute('aria-disabled', String(!ready));
    return ready;
  }

  #submit(): void {
    if (!this.#check()) return;
    const files = this.#uploads?.done ?? [];
    this.#uploads?.clear();
    const text = this.field.value.trim();
    this.field.value = '';
    this.chat.send(text, files);
    this.#complain('');
    this.#grow();
    this.#check();
    this.field.focus();
    this.sent();
  }

  #grow(): void {
    // an empty field has the direction of its hint
    this.field.dir = this.field.value ? 'auto' : '';
    this.field.style.height = '';
    const { scrollHeight, clientHeight } = this.field;
    if (scrollHeight > clientHeight) this.field.style.height = scrollHeight + 'px';
  }
}
