/** `files.js`: what belongs to files, on their way up and in messages. Most talks have none. */
import { h, icon, size } from './dom';
import { fill, type Strings } from './strings';
import type { Attachment } from './types';

/** Limit when the channel does not tell its own, bytes. */
const UPLOAD_BYTES = 25 * 1024 * 1024;
const PICTURES = /^image\/(png|jpeg|gif|webp|avif)$/;

/** What the uploads need of the rest. */
export interface Desk {
  words(): Strings;
  locale(): string;
  limit(): number | undefined;
  /** the address to post to, and the token */
  place(): Promise<{ url: string; token: string }>;
  /** this token was refused */
  renew(token: string): Promise<void>;
  /** something to say, or nothing any more */
  complain(text: string): void;
  /** the list changed */
  changed(): void;
  /** a file was taken out by hand */
  removed(): void;
}

interface Upload {
  element: HTMLElement;
  /** set when the server has the file */
  done?: Attachment;
  failed?: boolean;
}

/** The files that go with the next message. */
export class Uploads {
  readonly element = h('div', { class: 'up', hidden: true });
  #list = new Set<Upload>();

  constructor(private desk: Desk) {}

  /** Those the server has. */
  get done(): Attachment[] {
    return [...this.#list].flatMap((upload) => upload.done ?? []);
  }

  /** Nothing is on its way. */
  get settled(): boolean {
    return [...this.#list].every((upload) => upload.done || upload.failed);
  }

  /** Takes files from the picker, the clipboard or a drop; each begins to upload at once. */
  add(files: Iterable<File>): void {
    const limit = this.desk.limit() ?? UPLOAD_BYTES;
    const complaints: string[] = [];
    for (const file of files) {
      if (file.size > limit)
        complaints.push(fill(this.desk.words().large, { name: file.name, size: size(limit, this.desk.locale()) }));
      else void this.#upload(file);
    }
    this.desk.complain(complaints.join('. '));
  }

  clear(): void {
    for (const upload of [...this.#list]) this.#forget(upload);
  }

  async #upload(file: File): Promise<void> {
    const words = this.desk.words();
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
      h('small', {}, size(file.size, this.desk.locale())),
      remove,
      bar,
    );
    const upload: Upload = { element };
    remove.onclick = () => {
      cancel.abort();
      this.#forget(upload);
      this.desk.removed();
    };
    this.#list.add(upload);
    this.element.append(element);
    this.element.hidden = false;
    this.desk.changed();
    try {
      upload.done = await this.#send(file, (part) => (bar.value = part), cancel.signal);
    } catch (error) {
      if (cancel.signal.aborted) return;
      upload.failed = true;
      element.classList.add('bad');
      const why = error instanceof Refusal ? error.message : '';
      this.desk.complain(fill(words.broken, { name }) + (why ? ': ' + why : ''));
    }
    bar.remove();
    this.desk.changed();
  }

  #forget(upload: Upload): void {
    this.#list.delete(upload);
    upload.element.remove();
    this.element.hidden = !this.#list.size;
    this.desk.complain('');
    this.desk.changed();
  }

  async #send(file: File, progress: (part: number) => void, signal: AbortSignal): Promise<Attachment> {
    const { url, token } = await this.desk.place();
    try {
      return await transfer(url, token, file, progress, signal);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error;
      await this.desk.renew(token);
      return transfer(url, (await this.desk.place()).token, file, progress, signal);
    }
  }
}

/** The server's "no" to a file. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    detail = '',
  ) {
    super(detail);
  }
}

/** Uploads a file; `progress` hears 0 to 1. (fetch cannot tell the progress of an upload.) */
function transfer(url: string, token: string, file: File, progress: (part: number) => void, signal: AbortSignal) {
  return new Promise<Attachment>((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const body = new FormData();
    body.append('file', file, file.name);
    xhr.open('POST', url);
    xhr.setRequestHeader('Authorization', 'Bearer ' + token);
    xhr.responseType = 'json';
    xhr.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    xhr.onload = () =>
      xhr.status < 300 && xhr.response
        ? resolve(xhr.response as Attachment)
        : reject(new Refusal(xhr.status, (xhr.response as { detail?: string } | null)?.detail));
    xhr.onerror = xhr.onabort = () => reject(new Refusal(0));
    signal.addEventListener('abort', () => xhr.abort());
    xhr.send(body);
  });
}

/** A file of a message as a link; a picture shows itself, unless the site's policy forbids it. */
export function show(file: Attachment, href: string | undefined, locale: string, loaded: () => void): HTMLElement {
  const link = { href, target: '_blank', rel: 'noopener noreferrer', download: file.name };
  const row = () =>
    h(
      'a',
      { ...link, class: 'fl' },
      icon('file'),
      h('span', { dir: 'auto' }, file.name),
      h('small', {}, size(file.size, locale)),
    );
  if (!href || !PICTURES.test(file.content_type)) return row();
  const image = h('img', { src: href, alt: file.name, decoding: 'async' });
  const frame = h('a', { ...link, class: 'im' }, image);
  image.onload = loaded;
  image.onerror = () => frame.replaceWith(row());
  return frame;
}

export const CSS = `
.fl{display:flex;align-items:center;gap:8px;padding:8px 12px;border-radius:12px;border:1px solid var(--line);max-width:100%}
.p .fl{color:inherit;text-decoration:none}
.fl span{min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.fl small{font-size:12px;line-height:16px;color:var(--muted)}
.fl small,.fl svg{flex:none}
.im{display:block;border-radius:12px;overflow:hidden;border:1px solid var(--line)}
.im img{display:block;max-width:100%;max-height:220px;min-height:48px;min-width:48px;object-fit:cover}
.up{display:flex;flex-wrap:wrap;gap:6px;padding-bottom:8px}
.up .fl{position:relative;padding:3px;padding-inline-start:10px;overflow:hidden;font-size:13px}
.up .bad{border-color:var(--danger)}
.up .i{width:28px;height:28px}
progress{appearance:none;position:absolute;inset:auto 0 0;width:100%;height:3px;border:0;background:none;accent-color:var(--focus)}
::-webkit-progress-bar{background:none}
::-webkit-progress-value{background:var(--focus)}
::-moz-progress-bar{background:var(--focus)}
@media (max-width:480px),(max-height:440px){.up .i{width:36px;height:36px}}
`;
