/** Where the visitor writes: text, files, sending. */
import type { Chat } from './chat';
import { Refused } from './client';
import { h, icon, size } from './dom';
import { fill, type Strings } from './strings';
import type { Attachment } from './types';

/** Limits when the channel does not tell its own: bytes and characters. */
const UPLOAD_BYTES = 25 * 1024 * 1024;
const TEXT_CHARS = 10_000;

interface Upload {
  element: HTMLElement;
  /** set when the server has the file */
  done?: Attachment;
  failed?: boolean;
}

export class Composer {
  readonly element: HTMLElement;
  readonly field: HTMLTextAreaElement;
  private errors: HTMLElement;
  private list: HTMLElement;
  private picker: HTMLInputElement;
  private go: HTMLButtonElement;
  private clip: HTMLButtonElement;
  private uploads = new Set<Upload>();

  constructor(
    private chat: Chat,
    private words: () => Strings,
    private locale: () => string,
    private sent: () => void,
  ) {
    this.field = h('textarea', { rows: 1, dir: 'auto', autocomplete: 'off', enterkeyhint: 'send' });
    this.field.addEventListener('input', () => {
      this.grow();
      if (this.field.value.trim()) this.chat.typing();
      this.check();
    });
    this.field.addEventListener('keydown', (event) => {
      // 229: an input method is composing; its Enter chooses a word
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener('paste', (event) => {
      const files = event.clipboardData?.files;
      if (!files?.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.picker = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1 });
    this.picker.addEventListener('change', () => {
      this.add(this.picker.files ?? []);
      this.picker.value = '';
    });
    this.clip = h('button', { class: 'i', type: 'button', onclick: () => this.picker.click() }, icon('clip'));
    this.go = h('button', { class: 'i s', type: 'button', onclick: () => this.submit() }, icon('send'));
    this.errors = h('p', { class: 'er', role: 'alert', hidden: true });
    this.list = h('div', { class: 'up' });
    this.list.hidden = true;
    this.element = h(
      'div',
      { class: 'cp' },
      this.errors,
      this.list,
      h('div', { class: 'bx' }, this.clip, this.picker, this.field, this.go),
    );
    this.check();
  }

  /** Puts the texts of the language. */
  translate(): void {
    const words = this.words();
    this.field.placeholder = words.write;
    this.field.setAttribute('aria-label', words.write);
    for (const [button, label] of [
      [this.clip, words.attach],
      [this.go, words.send],
    ] as const) {
      button.setAttribute('aria-label', label);
      button.title = label;
    }
    this.check();
  }

  /** Takes files from the picker, the clipboard or a drop; each begins to upload at once. */
  add(files: Iterable<File>): void {
    const limit = this.chat.settings.max_upload_bytes ?? UPLOAD_BYTES;
    const complaints: string[] = [];
    for (const file of files) {
      if (file.size > limit)
        complaints.push(fill(this.words().large, { name: file.name, size: size(limit, this.locale()) }));
      else void this.upload(file);
    }
    this.complain(complaints.join('. '));
  }

  private async upload(file: File): Promise<void> {
    const words = this.words();
    const cancel = new AbortController();
    const bar = h('progress', { max: 1, value: 0, 'aria-label': fill(words.uploading, { name: file.name }) });
    const remove = h(
      'button',
      { class: 'i', type: 'button', 'aria-label': fill(words.remove, { name: file.name }) },
      icon('close'),
    );
    const name = file.name || 'file';
    const element = h(
      'div',
      { class: 'fl' },
      h('span', { dir: 'auto' }, name),
      h('small', {}, size(file.size, this.locale())),
      remove,
      bar,
    );
    const upload: Upload = { element };
    remove.onclick = () => {
      cancel.abort();
      this.forget(upload);
      this.field.focus();
    };
    this.uploads.add(upload);
    this.list.append(element);
    this.list.hidden = false;
    this.check();
    try {
      upload.done = await this.chat.client.upload(file, (part) => (bar.value = part), cancel.signal);
    } catch (error) {
      if (cancel.signal.aborted) return;
      upload.failed = true;
      element.classList.add('bad');
      const why = error instanceof Refused ? error.message : '';
      this.complain(fill(words.broken, { name }) + (why ? ': ' + why : ''));
    }
    bar.remove();
    this.check();
  }

  private forget(upload: Upload): void {
    this.uploads.delete(upload);
    upload.element.remove();
    this.list.hidden = !this.uploads.size;
    this.complain('');
    this.check();
  }

  private complain(text: string): void {
    this.errors.textContent = text;
    this.errors.hidden = !text;
  }

  /** How far the text is over the limit of the channel; characters as the server counts them. */
  private get excess(): number {
    return [...this.field.value.trim()].length - (this.chat.settings.max_text_chars ?? TEXT_CHARS);
  }

  private check(): boolean {
    const { excess } = this;
    if (excess > 0) this.complain(fill(this.words().long, { n: excess }));
    else if (this.field.dataset.long) this.complain('');
    this.field.dataset.long = excess > 0 ? '1' : '';
    const files = [...this.uploads];
    const ready =
      (!!this.field.value.trim() || files.some((file) => file.done)) &&
      files.every((file) => file.done || file.failed) &&
      excess <= 0 &&
      !this.chat.refused;
    // not "disabled": a button that disappears from the keyboard's order would lose the focus
    this.go.setAttribute('aria-disabled', String(!ready));
    return ready;
  }

  private submit(): void {
    if (!this.check()) return;
    const files = [...this.uploads].flatMap((upload) => upload.done ?? []);
    for (const upload of [...this.uploads]) this.forget(upload);
    this.chat.send(this.field.value.trim(), files);
    this.field.value = '';
    this.complain('');
    this.grow();
    this.check();
    this.field.focus();
    this.sent();
  }

  private grow(): void {
    this.field.style.height = '';
    const { scrollHeight, clientHeight } = this.field;
    if (scrollHeight > clientHeight) this.field.style.height = scrollHeight + 'px';
  }
}
