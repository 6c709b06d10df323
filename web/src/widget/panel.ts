/**
 * The widget's second file, `panel.js`: the chat itself. The loader imports it and calls `start`.
 * This file draws the frame around the log and the composer and decides what is shown when.
 */
import { Chat } from './chat';
import { ACCENT, parse, readable, textOn } from './color';
import { Composer } from './composer';
import { CSS } from './css';
import { h, icon } from './dom';
import { fields } from './field';
import { badge, Log } from './log';
import { Loaded, style } from './parts';
import { choose, fill, texts } from './strings';
import type { Host, Panel } from './types';

/** The panel fills the screen of phones; the same condition stands in the style. */
const SMALL = '(max-width:480px),(max-height:440px)';
/** A short break of the connection is not worth a word, milliseconds. */
const TOLERATE_MS = 1_500;

/** Draws the panel into the loader's place and answers its controls. */
export async function start(host: Host): Promise<Panel> {
  const { root, launcher, options } = host;
  style(host.shadow, CSS);

  let language = choose([options.locale, navigator.language]);
  let spoken = await texts(language.code, host.origin);
  let wished = language.code;
  const words = () => spoken;
  const small = matchMedia(SMALL);
  const darkness = matchMedia('(prefers-color-scheme:dark)');
  let opened = false;
  let asked = false;
  let queued = false;
  let apology: ReturnType<typeof setTimeout> | undefined;
  let formShown: HTMLElement | null = null;
  let waits = 0;
  let question: HTMLElement | null = null;
  let questioned = '';
  let offer: HTMLElement | null = null;
  const originalTitle = { shown: '', page: '' };

  // drawing waits for the end of the present work, so that a burst of messages is drawn once; not for a
  // frame, which a hidden page never gets, and the title and the badge matter most there
  const changed = () => {
    if (queued) return;
    queued = true;
    queueMicrotask(() => {
      queued = false;
      draw();
    });
  };

  const parts = new Loaded(host.origin, host.shadow, changed);
  const chat = new Chat(host, parts, words, changed, (message) => {
    host.emit('message', message);
    if (!inSight() || !log.atEnd) log.arrived();
    if (chat.memory.get('sound') && !inSight()) parts.use('tools', (tools) => tools.chime());
  });
  const tag = () => language.tag;
  const log = new Log(chat, parts, words, tag, () => inSight() && chat.unread && see());
  const composer = new Composer(chat, parts, words, tag, () => log.toEnd());

  const title = h('bdi');
  const status = h('p');
  const more = h(
    'button',
    {
      class: 'i',
      type: 'button',
      'aria-expanded': 'false',
      onclick: () =>
        parts.use('tools', (tools) =>
          tools.menu(more, words(), {
            sound: !!chat.memory.get('sound'),
            toggleSound: () => {
              chat.memory.set({ sound: !chat.memory.get('sound') });
              if (chat.memory.get('sound')) tools.chime();
            },
            ...(chat.talking && { end: () => chat.end() }),
            notice: (text) => chat.notice(text),
          }),
        ),
    },
    icon('menu'),
  );
  const shut = h('button', { class: 'i', type: 'button', onclick: () => close() }, icon('close'));
  const banner = h('p', { class: 'bn', role: 'status', hidden: true });
  const typing = h('p', { class: 'ty', 'aria-hidden': 'true' });
  const drop = h('div', { class: 'dr', hidden: true });
  const panel = h(
    'div',
    { class: 'p', id: 'p', role: 'dialog', 'aria-labelledby': 't', tabindex: -1, hidden: true },
    h('header', { class: 'hd' }, h('div', {}, h('h2', { id: 't' }, title), status), more, shut),
    banner,
    log.area,
    typing,
    composer.element,
    drop,
  );
  root.append(panel);
  launcher.setAttribute('aria-controls', 'p');

  const inSight = () => opened && !document.hidden;
  const see = () => {
    chat.seen();
    changed();
  };

  /** Colours by theme and by the channel's accent. */
  const paint = () => {
    const theme =
      options.theme === 'dark' || options.theme === 'light' ? options.theme : darkness.matches ? 'dark' : 'light';
    root.dataset.theme = theme;
    const wish = options.accent ?? chat.settings.accent_color ?? chat.memory.get('accent');
    const accent = parse(wish) ? (wish as string) : ACCENT;
    const surface = theme === 'dark' ? '#16191f' : '#ffffff';
    const their = theme === 'dark' ? '#262b35' : '#edeff3';
    for (const [name, value] of Object.entries({
      accent,
      on: textOn(accent),
      focus: readable(accent, surface, 3),
      link: readable(readable(accent, surface, 4.5), their, 4.5),
    }))
      root.style.setProperty('--' + name, value);
  };

  /** Changes the language; the texts come with the next drawing, together with their direction. */
  const speak = (next: typeof language) => {
    if (next.code === wished) return;
    wished = next.code;
    texts(next.code, host.origin).then(
      (found) => {
        if (wished !== next.code) return;
        spoken = found;
        language = next;
        changed();
      },
      // the language that is there already will do
      () => undefined,
    );
  };

  const draw = () => {
    const { settings, session } = chat;
    speak(choose([options.locale, settings.locale, navigator.language]));
    const text = words();
    panel.lang = language.tag;
    panel.dir = language.rtl ? 'rtl' : 'ltr';
    root.dir = panel.dir;
    paint();
    title.textContent = options.title || settings.title || text.title;
    const typist = chat.typist === null ? '' : fill(text.typing, { name: chat.typist || text.staff });
    status.textContent = session ? (session.line_open === false ? '' : text.online) : '';
    typing.textContent = typist;
    drop.textContent = text.drop;
    shut.setAttribute('aria-label', text.close);
    shut.title = text.close;
    more.setAttribute('aria-label', text.menu);
    more.title = text.menu;
    composer.translate();
    warn();
    drawForm();
    drawQuestion();
    drawOffer();
    log.draw();
    if (inSight() && log.atEnd && !formShown && chat.unread) chat.seen();
    count();
  };

  /** What stands above the log: no connection, nobody here, not available. */
  const warn = () => {
    const text = words();
    const say = (line: string, calm = false) => {
      banner.classList.toggle('q', calm);
      if (banner.textContent !== line) banner.textContent = line;
      banner.hidden = !line;
    };
    if (chat.refused) return say(text.unavailable);
    if (chat.troubled) {
      apology ??= setTimeout(() => {
        apology = undefined;
        if (chat.troubled) say(words().offline);
      }, TOLERATE_MS);
      return;
    }
    clearTimeout(apology);
    apology = undefined;
    const { queue } = chat.standing;
    if (!queue) waits = 0;
    // who is taken at once need not hear of a queue
    else if (!waits) {
      waits = Date.now();
      setTimeout(changed, TOLERATE_MS);
    } else if (Date.now() - waits > TOLERATE_MS - 100) {
      const minutes = new Intl.NumberFormat(language.tag, { style: 'unit', unit: 'minute', unitDisplay: 'long' });
      const secs = queue.estimated_wait_secs;
      return say(
        fill(secs ? text.wait : text.place, {
          n: queue.position,
          time: secs ? minutes.format(Math.ceil(secs / 60)) : '',
        }),
        true,
      );
    }
    if (chat.session?.line_open !== false) return say('');
    const back = Date.parse(chat.session.opens_at ?? '');
    if (!back) return say(text.away);
    const near = back - Date.now() < 86_400_000;
    const time = new Intl.DateTimeFormat(language.tag, {
      ...(!near && { weekday: 'long', day: 'numeric', month: 'long' }),
      hour: 'numeric',
      minute: '2-digit',
    });
    say(fill(text.until, { time: time.format(back) }));
  };

  /** The question for a rating stands between log and composer; thanks stay there until the next talk. */
  const drawQuestion = () => {
    const { rating } = chat.standing;
    const id = (rating && rating.score === null && rating.session_id) || '';
    if (!rating) question?.remove();
    if (!id || id === questioned || chat.memory.get('unrated') === id) return;
    const forms = parts.get('forms');
    if (!forms) return;
    questioned = id;
    question?.remove();
    question = forms.rate(
      rating?.text ?? null,
      words(),
      (score, comment) => chat.rate(score, comment),
      () => {
        chat.memory.set({ unrated: id });
        question?.remove();
        composer.field.focus({ preventScroll: true });
      },
    );
    composer.element.before(question);
  };

  /** A chat that ended may be sent to its visitor. */
  const drawOffer = () => {
    const { transcript } = chat.standing;
    const forms = transcript ? parts.get('forms') : undefined;
    if (!!offer === !!transcript || (transcript && !forms)) return;
    offer?.remove();
    offer = forms?.transcript(transcript?.email ?? '', words(), (email) => chat.transcript(email)) ?? null;
    if (offer) composer.element.before(offer);
  };

  /** The form stands in the place of log and composer until it is filled in or passed. */
  const drawForm = () => {
    const { settings } = chat;
    const closed = chat.session?.line_open === false && fields(settings.closed_fields);
    const asking = closed && closed.length ? closed : fields(settings.prechat_fields);
    const wanted =
      !!chat.session &&
      !asked &&
      (asking.length > 0 || !!settings.consent) &&
      !chat.session.conversation_id &&
      !chat.timeline.messages.length &&
      !chat.timeline.unconfirmed.length &&
      (!host.identity || !!settings.consent);
    log.area.hidden = typing.hidden = composer.element.hidden = wanted;
    const forms = wanted ? parts.get('forms') : undefined;
    if (wanted === !!formShown || (wanted && !forms)) return;
    const focused = panel.contains(host.shadow.activeElement) || wanted;
    formShown?.remove();
    formShown =
      forms?.form(
        {
          fields: host.identity ? [] : asking,
          required: !!settings.require_prechat || asking === closed || !!settings.consent,
          consent: settings.consent ?? null,
          title: asking === closed ? 'closed' : 'ask',
        },
        words(),
        (answers) => {
          asked = true;
          if (answers) {
            chat.contact = answers;
            chat.form = asking === closed ? 'closed' : undefined;
            host.emit('prechat', answers);
            void chat.update().catch(() => undefined);
          }
          changed();
        },
      ) ?? null;
    if (formShown) typing.before(formShown);
    if (focused && opened) focusInside();
  };

  /** Unread messages on the launcher, in the title of the page, and for the site's own code. */
  let counted = -1;
  const count = () => {
    const unread = inSight() && !formShown ? 0 : chat.unread;
    if (document.title !== originalTitle.shown) originalTitle.page = document.title;
    originalTitle.shown = unread && document.hidden ? `(${unread}) ${originalTitle.page}` : originalTitle.page;
    if (document.title !== originalTitle.shown) document.title = originalTitle.shown;
    badge(launcher, opened ? 0 : unread, opened ? words().close : (options.label ?? words().open), words());
    root.setAttribute('aria-label', options.title || chat.settings.title || words().title);
    if (unread !== counted) {
      counted = unread;
      host.emit('unread', unread);
    }
  };

  const focusInside = () => {
    const first = formShown?.querySelector<HTMLElement>('input,textarea,select') ?? composer.field;
    // on a phone the keyboard would hide the conversation that was just opened
    (matchMedia('(pointer:coarse)').matches && small.matches ? panel : first).focus({ preventScroll: true });
  };

  const open = () => {
    if (opened) return;
    opened = true;
    panel.hidden = false;
    root.dataset.open = '';
    launcher.setAttribute('aria-expanded', 'true');
    fit();
    if (!chat.session) void chat.enter().catch(() => undefined);
    draw();
    log.toEnd();
    focusInside();
    host.emit('open');
  };

  const close = () => {
    if (!opened) return;
    opened = false;
    const inside = panel.contains(host.shadow.activeElement);
    panel.hidden = true;
    delete root.dataset.open;
    launcher.setAttribute('aria-expanded', 'false');
    if (inside) launcher.focus({ preventScroll: true });
    changed();
    host.emit('close');
  };

  /** On a phone the panel covers the page: it is modal, and ends where the keyboard begins. */
  const fit = () => {
    panel.setAttribute('aria-modal', String(small.matches));
    const view = window.visualViewport;
    if (small.matches && view && opened && view.scale === 1) panel.style.setProperty('--view', view.height + 'px');
    else panel.style.removeProperty('--view');
    panel.style.top = small.matches && view?.offsetTop && view.scale === 1 ? view.offsetTop + 'px' : '';
  };

  panel.addEventListener('keydown', (event) => {
    // the site's own shortcuts must not act on what is typed here
    event.stopPropagation();
    if (event.key === 'Escape' && !event.isComposing) close();
    if (event.key !== 'Tab' || !small.matches) return;
    const stops = [
      ...panel.querySelectorAll<HTMLElement>("a[href],button,input,textarea,select,[tabindex='0']"),
    ].filter((stop) => stop.checkVisibility());
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (host.shadow.activeElement === edge || (event.shiftKey && host.shadow.activeElement === panel)) {
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  });

  const dragged = (event: DragEvent) => !formShown && !!event.dataTransfer?.types.includes('Files');
  panel.addEventListener('dragover', (event) => {
    if (!dragged(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  panel.addEventListener('dragleave', (event) => {
    if (!panel.contains(event.relatedTarget as Node | null)) drop.hidden = true;
  });
  panel.addEventListener('drop', (event) => {
    drop.hidden = true;
    if (!dragged(event)) return;
    event.preventDefault();
    composer.add(event.dataTransfer?.files ?? []);
  });

  darkness.addEventListener('change', paint);
  small.addEventListener('change', fit);
  window.visualViewport?.addEventListener('resize', fit);
  window.visualViewport?.addEventListener('scroll', fit);
  document.addEventListener('visibilitychange', changed);
  addEventListener('storage', (event) => {
    if (event.key?.startsWith('switchboard:' + host.key)) chat.shared();
  });

  // a conversation of an earlier page: listen for answers before the panel is opened
  if (chat.memory.get('token') || chat.timeline.unconfirmed.length) void chat.enter().catch(() => undefined);
  draw();

  return {
    open,
    close,
    toggle: () => (opened ? close() : open()),
    event: (name, data) => chat.event(String(name), data),
    prefill: (text) => {
      if (typeof text !== 'string') return;
      composer.field.value = '';
      composer.insert(text);
    },
    end: () => void chat.end(),
    identify: () => {
      if (chat.session) void chat.update().catch(() => undefined);
    },
    shutdown: () => {
      close();
      chat.shutdown();
      panel.remove();
      launcher.hidden = true;
      badge(launcher, 0, words().open, words());
    },
  };
}
