/**
 * The live socket: connects, notices when it is dead, comes back. It does not know what the frames
 * mean; what was missed is asked for by the address, which is made anew for each attempt.
 */
import { backoff } from './backoff';
import type { Frame } from './types';

/** Proxies cut what is silent for a minute; milliseconds between pings. */
export const PING_MS = 25_000;
/** No frame for so long after a ping: the connection is dead. Also the limit for connecting. */
export const DEAD_MS = 10_000;
/** The same after a sign that the network changed, when the visitor is looking. */
export const NUDGE_MS = 4_000;

export interface LinkEvents {
  frame(frame: Frame): void;
  /** the server greeted: everything after the address's `after` will come */
  up(): void;
  /** closed or could not be opened; `greeted` tells which */
  down(greeted: boolean, code: number): void;
}

export class Link {
  #socket: WebSocket | null = null;
  #greeted = false;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setTimeout> | undefined;
  #dead: ReturnType<typeof setTimeout> | undefined;
  #wanted = false;
  #resting = false;

  constructor(
    private address: () => string,
    private events: LinkEvents,
    private make: (url: string) => WebSocket = (url) => new WebSocket(url),
  ) {}

  /** The server greeted on the present connection. */
  get up(): boolean {
    return this.#greeted;
  }

  /** Connects and stays connected until `stop`. */
  start(): void {
    this.#wanted = true;
    if (!this.#socket) this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Begins anew at once: another token, another conversation. */
  restart(): void {
    this.stop();
    this.#attempt = 0;
    this.start();
  }

  /** The network or the page came back: no waiting, and a quick proof that the socket still lives. */
  nudge(): void {
    this.#resting = false;
    if (!this.#wanted) return;
    if (!this.#socket) this.#connect();
    else if (this.#greeted) {
      this.send({ type: 'ping' });
      this.#watch(NUDGE_MS);
      this.#beat();
    }
  }

  /** Nobody looks: no pings of our own until `nudge`. The server's are answered without waking the page. */
  rest(): void {
    this.#resting = true;
    clearTimeout(this.#ping);
    if (this.#greeted) clearTimeout(this.#dead);
  }

  /** Sends a frame; false when there is no connection to send it on. */
  send(frame: object): boolean {
    if (!this.#greeted || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#greeted = false;
    let socket: WebSocket;
    try {
      socket = this.make(this.address());
    } catch {
      // a policy of the site forbids sockets
      this.#closed(1006);
      return;
    }
    this.#socket = socket;
    this.#watch(DEAD_MS);
    socket.onmessage = (event: MessageEvent) => {
      if (socket !== this.#socket) return;
      let frame: Frame;
      try {
        frame = JSON.parse(event.data as string) as Frame;
      } catch {
        return;
      }
      // any frame proves life
      clearTimeout(this.#dead);
      if (frame.type === 'hello' && !this.#greeted) {
        this.#greeted = true;
        this.#attempt = 0;
        this.#beat();
        this.events.up();
      }
      this.events.frame(frame);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#closed(event.code);
    };
  }

  #beat(): void {
    clearTimeout(this.#ping);
    if (this.#resting) return;
    this.#ping = setTimeout(() => {
      this.send({ type: 'ping' });
      this.#watch(DEAD_MS);
      this.#beat();
    }, PING_MS);
  }

  /** Unless a frame comes within `ms`, the connection counts as dead. */
  #watch(ms: number): void {
    clearTimeout(this.#dead);
    this.#dead = setTimeout(() => {
      this.#drop();
      this.#closed(1006);
    }, ms);
  }

  /** Lets go of the socket; its later events are ignored, a dead one may need minutes to close. */
  #drop(): void {
    clearTimeout(this.#ping);
    clearTimeout(this.#dead);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState < 2) socket.close();
  }

  #closed(code: number): void {
    const greeted = this.#greeted;
    this.#greeted = false;
    if (this.#wanted) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#connect(), backoff(this.#attempt++));
    }
    this.events.down(greeted, code);
  }
}
