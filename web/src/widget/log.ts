/** The message log: draws the timeline, reuses what is already drawn, keeps the reader's place. */
import type { Chat } from './chat';
import { h, icon } from './dom';
import { pieces } from './links';
import type { Loaded } from './parts';
import { fill, type Strings } from './strings';
import type { Pending } from './timeline';
import type { Attachment, Message } from './types';

/** So close to the end, in CSS pixels, the reader follows new messages. */
const NEAR_END = 48;
/** Messages of one author within so many milliseconds stand together. */
const TOGETHER_MS = 300_000;

interface Row {
  element: HTMLElement;
  /** what the element shows; it is drawn again when this differs */
  shows: string;
}

export class Log {
  readonly element: HTMLElement;
  readonly area: HTMLElement;
  #rows = new Map<string, Row>();
  #pill: HTMLButtonElement;
  #hello: HTMLElement;
  #followed = true;

  constructor(
    private chat: Chat,
    private parts: Loaded,
    private words: () => Strings,
    private locale: () => string,
    /** the end of the log came into sight */
    private onEnd: () => void,
  ) {
    this.#hello = h('p', { class: 'b', dir: 'auto' });
    this.element = h('div', { class: 'lg', role: 'log', tabindex: 0, 'aria-relevant': 'additions' }, this.#hello);
    this.#pill = h('button', { class: 'dn', type: 'button', hidden: true, onclick: () => this.toEnd() });
    this.area = h('div', { class: 'bd' }, this.element, this.#pill);
    this.element.addEventListener('scroll', () => {
      this.#followed = this.atEnd;
      if (this.#followed) {
        this.#pill.hidden = true;
        this.onEnd();
      }
    });
    // the keyboard of a phone, a growing text field or a loaded picture must not push the last message out of sight
    new ResizeObserver(() => this.#followed && this.toEnd()).observe(this.element);
  }

  /** The newest message is in sight. */
  get atEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  toEnd(): void {
    this.#followed = true;
    this.#pill.hidden = true;
    this.element.scrollTop = this.element.scrollHeight;
    this.onEnd();
  }

  /** Draws the present state. */
  draw(): void {
    const words = this.words();
    const { timeline } = this.chat;
    this.element.setAttribute('aria-label', words.log);
    this.element.setAttribute('aria-busy', String(this.chat.loading));
    this.#hello.textContent = this.chat.greeting ?? words.hello;
    this.#pill.replaceChildren(icon('down'), words.fresh);

    const kept = new Set<string>();
    let at: Element = this.#hello;
    const place = (key: string, shows: string, make: () => HTMLElement) => {
      kept.add(key);
      let row = this.#rows.get(key);
      if (!row || row.shows !== shows) {
        const element = make();
        // an element in the same place keeps announcements and focus where they were
        row?.element.replaceWith(element);
        row = { element, shows };
        this.#rows.set(key, row);
      }
      if (at.nextElementSibling !== row.element) at.after(row.element);
      at = row.element;
    };

    let day = '';
    let last: { own: boolean; who: string; time: number } | null = null;
    const lastOwn = [...timeline.messages].reverse().find((m) => m.kind === 'inbound');
    const newest = timeline.unconfirmed.at(-1)?.client_id ?? (lastOwn?.client_id || lastOwn?.id);
    const each = (message: Message | (Pending & { kind: 'inbound' })) => {
      const key = message.client_id || (message as Message).id;
      const time = Date.parse(message.created_at);
      const on = new Date(time).toDateString();
      if (on !== day) {
        day = on;
        last = null;
        place('day ' + on, this.locale(), () => h('p', { class: 'dy' }, this.#dayName(time)));
      }
      if (message.kind === 'system') {
        last = null;
        place(key, message.text, () => h('p', { class: 'sy', dir: 'auto' }, message.text));
        return;
      }
      const own = message.kind === 'inbound';
      const who = own ? words.you : (message as Message).author.name || words.staff;
      const joined = !!last && last.own === own && last.who === who && time - last.time < TOGETHER_MS;
      last = { own, who, time };
      const state = !own ? '' : 'state' in message ? message.state : this.#mark(message);
      const status =
        own &&
        (key === newest || state === 'failed' || (state === 'waiting' && 'tries' in message && message.tries > 0));
      const files = !message.attachments?.length || !!this.parts.get('files');
      const shows = JSON.stringify([message, who, joined, state, status, files, this.locale()]);
      place(key, shows, () => this.#message(message, { own, who, joined, state, status, time }));
    };
    timeline.messages.forEach(each);
    timeline.unconfirmed.forEach((own) => each({ ...own, kind: 'inbound' }));
    for (const [key, row] of this.#rows)
      if (!kept.has(key)) {
        row.element.remove();
        this.#rows.delete(key);
      }
    if (this.#followed) this.element.scrollTop = this.element.scrollHeight;
  }

  /** A message arrived: whoever reads further up is told, not moved. */
  arrived(): void {
    this.#pill.hidden = this.#followed;
  }

  #mark(message: Message): string {
    const { read, delivered } = this.chat.timeline;
    return message.read || message.seq <= read ? 'read' : message.seq <= delivered ? 'delivered' : 'sent';
  }

  #message(
    message: Message | Pending,
    view: { own: boolean; who: string; joined: boolean; state: string; status: boolean; time: number },
  ): HTMLElement {
    const words = this.words();
    const clock = new Intl.DateTimeFormat(this.locale(), { hour: 'numeric', minute: '2-digit' }).format(view.time);
    const classes = [
      'm',
      view.own && 'o',
      !view.joined && 'g',
      view.state === 'failed' && 'x',
      // waiting or sending
      /ing$/.test(view.state) && 'v',
    ];
    const article = h('article', { class: classes.filter(Boolean).join(' '), 'aria-label': `${view.who}, ${clock}` });
    if (!view.joined)
      article.append(
        h(
          'p',
          { class: 'by', 'aria-hidden': 'true' },
          view.own ? null : h('b', { class: 'av' }, initials(view.who)),
          h('bdi', {}, view.own ? '' : view.who + ' '),
          clock,
        ),
      );
    const { reply_to, edited_at, deleted, by_mail } = message as Message;
    if (reply_to) article.append(h('p', { class: 'qt', dir: 'auto' }, reply_to.text));
    const text = deleted ? words.deleted : message.text || (by_mail && words.byMail);
    if (text) article.append(bubble(text));
    if (edited_at) article.append(h('p', { class: 'st' }, words.edited));
    for (const file of message.attachments ?? []) article.append(this.#file(file));
    if (view.status) article.append(this.#status(message as Pending, view.state, words));
    return article;
  }

  #status(own: Pending, state: string, words: Strings): HTMLElement {
    const line = h('p', { class: 'st' });
    if (state !== 'failed') {
      const label =
        state === 'waiting'
          ? own.tries
            ? (own.error ?? words.waiting)
            : words.sending
          : words[state as 'sent' | 'sending' | 'delivered' | 'read'];
      line.append(label);
      if (state === 'waiting' && own.tries > 1)
        line.append(this.#button(words.retry, () => this.chat.again(own.client_id)));
      return line;
    }
    line.append(
      h('span', { dir: 'auto' }, `${words.failed}. ${own.error ?? ''}`),
      this.#button(words.retry, () => this.chat.again(own.client_id)),
      this.#button(words.discard, () => this.chat.discard(own.client_id)),
    );
    return line;
  }

  #button(label: string, press: () => void): HTMLElement {
    const onclick = () => {
      press();
      // the button is gone now; the reader stays in the log
      this.element.focus({ preventScroll: true });
    };
    return h('button', { type: 'button', onclick }, label);
  }

  /** A file: as a bare link until the part that draws files is there. */
  #file(file: Attachment): HTMLElement {
    const href = file.url ? new URL(file.url, this.chat.origin).href : undefined;
    const safe = href && /^https?:/.test(href) ? href : undefined;
    return (
      this.parts.get('files')?.show(file, safe, this.locale(), () => this.#followed && this.toEnd()) ??
      h('a', { href: safe, target: '_blank', rel: 'noopener noreferrer' }, file.name)
    );
  }

  #dayName(time: number): string {
    const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
    const ago = Math.round((midnight(Date.now()) - midnight(time)) / 86_400_000);
    if (ago <= 1) return new Intl.RelativeTimeFormat(this.locale(), { numeric: 'auto' }).format(-ago, 'day');
    return new Intl.DateTimeFormat(this.locale(), {
      day: 'numeric',
      month: 'long',
      ...(ago > 300 && { year: 'numeric' }),
    }).format(time);
  }
}

/** Text with its addresses as links, never as markup. */
function bubble(text: string): HTMLElement {
  return h(
    'p',
    { class: 'b', dir: 'auto' },
    ...pieces(text).map((piece) =>
      piece.href
        ? h('a', { href: piece.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, piece.text)
        : piece.text,
    ),
  );
}

/** The first letters of a name, one or two. */
export function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  const first = (part: string | undefined) => [...(part ?? '')][0] ?? '';
  return (first(parts[0]) + (parts.length > 1 ? first(parts.at(-1)) : '')).toLocaleUpperCase();
}

/** Puts the number of unread messages on the launcher. */
export function badge(launcher: HTMLElement, count: number, label: string, words: Strings): void {
  launcher.querySelector('.n')?.remove();
  if (count) launcher.append(h('span', { class: 'n', 'aria-hidden': 'true' }, count > 99 ? '99+' : String(count)));
  launcher.setAttribute('aria-label', count ? `${label}, ${fill(words.unread, { n: count })}` : label);
}
