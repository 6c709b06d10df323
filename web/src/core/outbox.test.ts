import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Message } from '../api/types';
import { Outbox, type OutboxHost, type Pending } from './outbox';

class Memory implements Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'> {
  map = new Map<string, string>();
  get length() {
    return this.map.size;
  }
  key(i: number) {
    return [...this.map.keys()][i] ?? null;
  }
  getItem(k: string) {
    return this.map.get(k) ?? null;
  }
  setItem(k: string, v: string) {
    this.map.set(k, v);
  }
  removeItem(k: string) {
    this.map.delete(k);
  }
}

type Answer = 'ok' | 'network' | 'refused';

function rig(storage = new Memory()) {
  const calls: Pending[] = [];
  const answers: Answer[] = [];
  const host: OutboxHost = {
    storage,
    now: Date.now,
    send: async (e) => {
      calls.push(e);
      const answer = answers.shift() ?? 'ok';
      if (answer !== 'ok') throw new Error(answer);
      return { id: `msg_${e.client_id}`, client_id: e.client_id } as Message;
    },
    explain: (e) => ({ transient: (e as Error).message === 'network', reason: (e as Error).message, retryAfter: null }),
  };
  const outbox = new Outbox(host);
  const add = (client_id: string, conversation_id = 'c1') =>
    outbox.add({ client_id, conversation_id, kind: 'reply', text: client_id, attachments: [], created_at: '' });
  return { outbox, storage, calls, answers, add };
}
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('outbox', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('forgets a message only when the server has confirmed it', async () => {
    const r = rig();
    r.outbox.start('u');
    r.add('a');
    expect(r.storage.length).toBe(1);
    await settle();
    expect(r.storage.length).toBe(0);
    expect(r.outbox.entries('c1')).toEqual([]);
  });

  it('sends after a reload what the page before could not', async () => {
    const first = rig();
    first.outbox.start('u');
    first.answers.push('network');
    first.add('a');
    await settle();
    first.outbox.stop();
    const second = rig(first.storage);
    second.outbox.start('u');
    await settle();
    expect(second.calls.map((c) => c.client_id)).toEqual(['a']);
    expect(second.storage.length).toBe(0);
  });

  it('keeps the order of one conversation and does not hold up another', async () => {
    const r = rig();
    r.outbox.start('u');
    r.answers.push('network');
    r.add('a');
    await settle();
    r.add('b');
    r.add('x', 'c2');
    await settle();
    expect(r.calls.map((c) => c.client_id)).toEqual(['a', 'x']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(r.calls.map((c) => c.client_id)).toEqual(['a', 'x', 'a', 'b']);
  });

  it('tries again by itself for ever while the network is gone', async () => {
    const r = rig();
    r.outbox.start('u');
    r.answers.push(...Array<Answer>(20).fill('network'));
    r.add('a');
    await vi.advanceTimersByTimeAsync(20 * 31_000);
    expect(r.calls.length).toBe(21);
    expect(r.outbox.size).toBe(0);
  });

  it('shows a refusal and waits for a person', async () => {
    const r = rig();
    r.outbox.start('u');
    r.answers.push('refused');
    r.add('a');
    r.add('b');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(r.outbox.entries('c1').map((e) => [e.client_id, e.state, e.error])).toEqual([
      ['a', 'failed', 'refused'],
      ['b', 'pending', null],
    ]);
    r.outbox.retry('a');
    await settle();
    expect(r.outbox.size).toBe(0);
    expect(r.calls.map((c) => c.client_id)).toEqual(['a', 'a', 'b']);
  });

  it('gives back the text of a message that is taken back, and goes on with the next', async () => {
    const r = rig();
    r.outbox.start('u');
    r.answers.push('refused');
    r.add('a');
    r.add('b');
    await settle();
    expect(r.outbox.discard('a')?.text).toBe('a');
    await settle();
    expect(r.outbox.size).toBe(0);
  });

  it('keeps the messages of different users apart', async () => {
    const r = rig();
    r.outbox.start('u1');
    r.answers.push('network');
    r.add('a');
    await settle();
    r.outbox.stop();
    const other = rig(r.storage);
    other.outbox.start('u2');
    await settle();
    expect(other.calls).toEqual([]);
    expect(r.storage.length).toBe(1);
  });
});
