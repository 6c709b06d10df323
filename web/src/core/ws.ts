import type { LogEvent, ServerFrame, TypingFrame, VisitorFrame } from '../api/types';

/** What the banner and the availability menu show. */
export type LinkState = 'connecting' | 'open' | 'waiting' | 'stopped';

export interface RealtimeHandlers {
  /** A batch of log events, in order, once per frame. */
  events(batch: LogEvent[]): void;
  typing(frame: TypingFrame['data']): void;
  /** Where the visitor is who is watched. */
  visitor?(frame: VisitorFrame['data']): void;
  /** A socket is open. `reload` says that what was loaded before cannot be trusted to be complete. */
  hello(reload: boolean): void;
  state(state: LinkState): void;
  /** The server says that the session has ended (close code 4401). */
  signedOut(): void;
}

/** The parts of the browser that the client needs; replaced in tests. */
export interface RealtimeHost {
  open(url: string): WebSocket;
  url(since: number | null): string;
  random(): number;
  /** Runs `task` before the next paint, or soon when the page is hidden. */
  schedule(task: () => void): void;
}

export const PING_MS = 20_000;
/** No frame for this long means that the socket is dead although nobody said so. */
export const SILENCE_MS = 45_000;
export const MIN_DELAY_MS = 500;
export const MAX_DELAY_MS = 30_000;

/** Full jitter over an exponential ceiling, never below half a second. */
export function reconnectDelay(attempt: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.min(attempt, 10));
  return Math.round(MIN_DELAY_MS + (ceiling - MIN_DELAY_MS) * random);
}

/**
 * One socket for the whole app. It reconnects for ever, asks for everything after the last event it has handed over
 * (`since`), and drops what it has already seen, so that its user sees every event once and in order.
 */
export class Realtime {
  #socket: WebSocket | null = null;
  #since: number | null = null;
  #attempt = 0;
  #running = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #lastFrame = 0;
  #queue: LogEvent[] = [];
  #scheduled = false;
  #away = false;
  #watched: string | null = null;

  constructor(
    private readonly host: RealtimeHost,
    private readonly on: RealtimeHandlers,
  ) {}

  get since(): number | null {
    return this.#since;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    this.#drop();
    this.#queue = [];
    this.#since = null;
    this.on.state('stopped');
  }

  /** Tries at once: the network came back or the tab woke up. */
  nudge(): void {
    if (!this.#running) return;
    if (this.#socket && Date.now() - this.#lastFrame > SILENCE_MS) this.#lost();
    if (this.#socket) return;
    this.#attempt = 0;
    clearTimeout(this.#retry);
    this.#connect();
  }

  typing(conversationId: string): void {
    this.#send({ type: 'typing', conversation_id: conversationId });
  }

  /** Asks to be told where the visitor of this conversation is; of none any more. */
  watch(conversationId: string | null): void {
    this.#watched = conversationId;
    this.#send({ type: 'watch', conversation_id: conversationId });
  }

  setAway(away: boolean): void {
    if (away === this.#away) return;
    this.#away = away;
    this.#send({ type: away ? 'away' : 'active' });
  }

  #send(frame: object): void {
    // Nothing here is worth queueing: after a reconnect it would be out of date.
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #connect(): void {
    this.on.state('connecting');
    let socket: WebSocket;
    try {
      socket = this.host.open(this.host.url(this.#since));
    } catch {
      this.#later();
      return;
    }
    this.#socket = socket;
    this.#lastFrame = Date.now();
    socket.onmessage = (message) => {
      if (this.#socket === socket) this.#frame(String(message.data));
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      if (event.code === 4401) {
        this.stop();
        this.on.signedOut();
        return;
      }
      this.#lost();
    };
    clearInterval(this.#ping);
    this.#ping = setInterval(() => {
      if (Date.now() - this.#lastFrame > SILENCE_MS) this.#lost();
      else this.#send({ type: 'ping' });
    }, PING_MS);
  }

  #drop(): void {
    clearInterval(this.#ping);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
  }

  #lost(): void {
    this.#drop();
    if (this.#running) this.#later();
  }

  #later(): void {
    this.on.state('waiting');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), reconnectDelay(this.#attempt++, this.host.random()));
  }

  #frame(text: string): void {
    this.#lastFrame = Date.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      return;
    }
    if (frame.type === 'hello') {
      const first = this.#since === null;
      if (first || !frame.resumed) {
        this.#queue = [];
        this.#since = frame.seq;
      }
      this.#attempt = 0;
      this.on.state('open');
      this.on.hello(first || !frame.resumed);
      if (this.#away) this.#send({ type: 'away' });
      if (this.#watched) this.#send({ type: 'watch', conversation_id: this.#watched });
    } else if (frame.type === 'typing') {
      this.on.typing(frame.data);
    } else if (frame.type === 'visitor') {
      this.on.visitor?.(frame.data);
    } else if ('seq' in frame && typeof frame.seq === 'number') {
      if (this.#since !== null && frame.seq <= this.#since) return;
      // Advanced on arrival: the queue lives in memory just as what was drained does.
      this.#since = frame.seq;
      this.#queue.push(frame);
      if (!this.#scheduled) {
        this.#scheduled = true;
        this.host.schedule(() => this.flush());
      }
    }
  }

  /** Hands over what has arrived. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#queue.length) return;
    const batch = this.#queue;
    this.#queue = [];
    this.on.events(batch);
  }
}

/** The browser as host. */
export function browserHost(): RealtimeHost {
  return {
    open: (url) => new WebSocket(url),
    url: (since) => {
      const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
      return `${scheme}://${location.host}/api/v1/realtime${since === null ? '' : `?since=${since}`}`;
    },
    random: Math.random,
    schedule: (task) => {
      // Animation frames stop in hidden tabs; a frame asked for just before hiding is caught by the timer.
      let done = false;
      const once = () => {
        if (done) return;
        done = true;
        task();
      };
      if (document.visibilityState === 'visible') requestAnimationFrame(once);
      setTimeout(once, 250);
    },
  };
}
