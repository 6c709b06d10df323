import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEvent } from '../api/types';
import { MAX_DELAY_MS, MIN_DELAY_MS, PING_MS, Realtime, SILENCE_MS, reconnectDelay, type LinkState } from './ws';

class FakeSocket {
  readyState = 1;
  sent: string[] = [];
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  constructor(readonly url: string) {}
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
  get(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  drop(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

function rig() {
  const sockets: FakeSocket[] = [];
  const tasks: (() => void)[] = [];
  const log = { batches: [] as LogEvent[][], hellos: [] as boolean[], states: [] as LinkState[], out: 0 };
  const rt = new Realtime(
    {
      open: (url) => {
        const s = new FakeSocket(url);
        sockets.push(s);
        return s as unknown as WebSocket;
      },
      url: (since) => `ws://x/${since ?? 'none'}`,
      random: () => 0.5,
      schedule: (task) => tasks.push(task),
    },
    {
      events: (b) => log.batches.push(b),
      typing: () => {},
      hello: (reload) => log.hellos.push(reload),
      state: (s) => log.states.push(s),
      signedOut: () => (log.out += 1),
    },
  );
  const frame = () => tasks.splice(0).forEach((t) => t());
  const event = (seq: number) => ({ seq, type: 'message.created', at: '', data: { id: `msg_${seq}` } });
  return { rt, sockets, log, frame, event, last: () => sockets.at(-1) as FakeSocket };
}

describe('realtime', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hands over the events of one frame as one batch, in order', () => {
    const r = rig();
    r.rt.start();
    r.last().get({ type: 'hello', seq: 10, resumed: true });
    r.last().get(r.event(11));
    r.last().get(r.event(14));
    expect(r.log.batches).toEqual([]);
    r.frame();
    expect(r.log.batches.map((b) => b.map((e) => e.seq))).toEqual([[11, 14]]);
  });

  it('asks for everything after the last event when it reconnects, and drops what it has seen', () => {
    const r = rig();
    r.rt.start();
    r.last().get({ type: 'hello', seq: 10, resumed: true });
    r.last().get(r.event(12));
    r.frame();
    r.last().drop();
    vi.advanceTimersByTime(MAX_DELAY_MS);
    expect(r.sockets).toHaveLength(2);
    expect(r.last().url).toBe('ws://x/12');
    r.last().get({ type: 'hello', seq: 12, resumed: true });
    r.last().get(r.event(12));
    r.last().get(r.event(13));
    r.frame();
    expect(r.log.batches.flat().map((e) => e.seq)).toEqual([12, 13]);
    expect(r.log.hellos).toEqual([true, false]);
  });

  it('says that lists must be reloaded when the server could not resume', () => {
    const r = rig();
    r.rt.start();
    r.last().get({ type: 'hello', seq: 10, resumed: true });
    r.last().drop();
    vi.advanceTimersByTime(MAX_DELAY_MS);
    r.last().get({ type: 'hello', seq: 900, resumed: false });
    expect(r.log.hellos).toEqual([true, true]);
    expect(r.rt.since).toBe(900);
  });

  it('never gives up', () => {
    const r = rig();
    r.rt.start();
    for (let i = 0; i < 100; i++) {
      r.last().drop();
      vi.advanceTimersByTime(MAX_DELAY_MS);
    }
    expect(r.sockets).toHaveLength(101);
  });

  it('waits between half a second and half a minute', () => {
    for (let attempt = 0; attempt < 200; attempt++)
      for (const random of [0, 0.5, 0.999]) {
        expect(reconnectDelay(attempt, random)).toBeGreaterThanOrEqual(MIN_DELAY_MS);
        expect(reconnectDelay(attempt, random)).toBeLessThanOrEqual(MAX_DELAY_MS);
      }
  });

  it('pings, and takes a silent socket for dead', () => {
    const r = rig();
    r.rt.start();
    r.last().get({ type: 'hello', seq: 1, resumed: true });
    vi.advanceTimersByTime(PING_MS);
    expect(r.last().sent).toContain('{"type":"ping"}');
    vi.advanceTimersByTime(SILENCE_MS + PING_MS + MAX_DELAY_MS);
    expect(r.sockets.length).toBeGreaterThan(1);
  });

  it('stops for good when the session has ended', () => {
    const r = rig();
    r.rt.start();
    r.last().drop(4401);
    vi.advanceTimersByTime(10 * MAX_DELAY_MS);
    expect(r.sockets).toHaveLength(1);
    expect(r.log.out).toBe(1);
  });

  it('tells the server again that nobody is there after a reconnect', () => {
    const r = rig();
    r.rt.start();
    r.last().get({ type: 'hello', seq: 1, resumed: true });
    r.rt.setAway(true);
    r.last().drop();
    vi.advanceTimersByTime(MAX_DELAY_MS);
    r.last().get({ type: 'hello', seq: 1, resumed: true });
    expect(r.last().sent).toContain('{"type":"away"}');
  });
});
